//! Mistakes that must not compile, and what rustc says of each. A folder is a kind of mistake.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn mistakes_do_not_compile() {
    trybuild::TestCases::new().compile_fail("ui/*/*.rs");
}

/// What rustc only says when it builds: a constant of a generic function.
#[test]
fn mistakes_are_not_built() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui_built/used_stream.rs");
    cases.compile_fail("ui_built/unused_stream.rs");
}

/// Nobody should ever meet typenum's way of writing a number.
#[test]
fn sizes_are_in_decimals() {
    let texts = expected(Path::new(env!("CARGO_MANIFEST_DIR")).join("ui").as_path());
    assert!(texts.len() > 20, "only {} expected texts were found", texts.len());
    for path in texts {
        let text = fs::read_to_string(&path).expect("an expected text can be read");
        assert!(!text.contains("UInt<") && !text.contains("UTerm"), "{}:\n{text}", path.display());
    }
}

fn expected(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).expect("the folder of mistakes").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| if path.is_dir() { expected(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "stderr"))
        .collect()
}
