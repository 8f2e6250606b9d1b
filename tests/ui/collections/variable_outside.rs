use flaxen::prelude::*;

fn main() {
    let _mean = variable!(BatchStats, "mean", zeros(), [5]);
}
