//! Training does not depend on the number of threads.

use flaxen::Key;
use flaxen::backend::{set_threads, threads};
use flaxen_examples::digits;
use flaxen_examples::fashion_mnist::{State, create_train_state, train_step};

/// Three steps of the CNN.
fn train() -> (State, Vec<f32>) {
    let train = digits::load().expect("the digits inside the program").train;
    let mut state = create_train_state(Key::new(0), 0.02, 0.9);
    let order = Key::new(1).permutation(train.len());
    let losses = order.chunks(32).take(3).map(|indices| {
        let batch = train.gather(indices).expect("indices of the training set");
        train_step(&mut state, batch).loss
    });
    let losses = losses.collect();
    (state, losses)
}

/// The number is the whole process's, so nothing else in these tests sets it.
#[test]
fn any_number_of_threads_gives_the_same_parameters() {
    let before = threads();
    let [alone, pair, crowd] = [1, 2, 5].map(|count| {
        set_threads(count);
        train()
    });
    set_threads(before);
    assert_eq!(alone.0.step, 3);
    assert_eq!(alone, pair);
    assert_eq!(alone, crowd);
}
