//! The bar that shows how far an epoch is.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar of `steps`, which disappears when it is finished or dropped. It is drawn only where a person watches: when
/// the output and the error output are a terminal.
pub fn epoch_bar(epoch: usize, steps: usize) -> ProgressBar {
    let watched = io::stdout().is_terminal() && io::stderr().is_terminal();
    let target = if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(steps as u64), target);
    let template = "Epoch [{prefix}] {bar:40} {pos}/{len} steps, {per_sec}, {eta} left";
    // The template is constant; were it wrong, indicatif's own style would do.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style).with_prefix(epoch.to_string()).with_finish(indicatif::ProgressFinish::AndClear)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_sound_and_the_bar_hidden_from_files() {
        let bar = epoch_bar(3, 10);
        bar.inc(4);
        assert_eq!((bar.position(), bar.length(), bar.prefix().as_str()), (4, Some(10), "3"));
        if !io::stdout().is_terminal() {
            assert!(bar.is_hidden());
        }
    }
}
