//! A row of the table: a step to be measured, and what it must do at least.

/// What a step must do at least.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// Floating-point operations of products and direct convolutions; one multiplication and one addition count two.
    Operations(usize),
    /// Memory that is read and written, of the memory that the step works on.
    Bytes {
        /// Bytes read and bytes written.
        moved: usize,
        /// Bytes of all arrays.
        held: usize,
    },
}

/// A step, with everything that it works on.
pub struct Row {
    pub work: Work,
    /// Images in a batch, where throughput is of interest.
    pub images: Option<usize>,
    /// Whether `step` gives a loss, which must fall.
    pub trains: bool,
    pub step: Box<dyn FnMut() -> f32>,
}

impl Row {
    /// A step that gives the loss.
    pub fn training(work: Work, step: impl FnMut() -> f32 + 'static) -> Self {
        Row { work, images: None, trains: true, step: Box::new(step) }
    }

    /// A step that gives any number.
    pub fn other(work: Work, step: impl FnMut() -> f32 + 'static) -> Self {
        Row { trains: false, ..Row::training(work, step) }
    }

    pub fn images(self, images: usize) -> Self {
        Row { images: Some(images), ..self }
    }
}
