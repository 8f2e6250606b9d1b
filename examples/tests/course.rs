//! The programs of the course run to their ends, which are asserts, and print what the tutorials print.

use std::process::Command;

fn printed(program: &str) -> String {
    let output = Command::new(program).output().expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn flax_basics() {
    let printed = printed(env!("CARGO_BIN_EXE_01_flax_basics"));
    for line in ["Loss step 10: 0.5143469", "Loss step 100: 0.0115786", "updated state: [0.059601, 0.059601"]
    {
        assert!(printed.contains(line), "{line}");
    }
}

#[test]
fn params_and_state() {
    let printed = printed(env!("CARGO_BIN_EXE_02_params_and_state"));
    assert!(printed.contains("Loss for epoch 5: 2.1174"));
}

#[test]
fn training_techniques() {
    let printed = printed(env!("CARGO_BIN_EXE_03_training_techniques"));
    assert!(printed.contains("loss 1.20057"));
}

#[test]
fn sharp_bits() {
    let printed = printed(env!("CARGO_BIN_EXE_04_sharp_bits"));
    assert!(printed.contains("training: [[[0, -1.03777"));
}
