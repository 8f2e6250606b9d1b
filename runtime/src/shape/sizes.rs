//! The shape rules in numbers: what each op states beside its rule in types.
//!
//! For every equation of a module the macro emits a constant that calls the op's rule on the sizes before it. So
//! rustc says `matmul: inner sizes differ: [B, 64] x [128, 10]` at the user's token under `cargo check`.

use super::{Dim, MAX_RANK, Message};

/// One size as far as it is known while compiling.
#[derive(Clone, Copy, Debug)]
pub enum Size {
    /// A number.
    Known(usize),
    /// A generic dimension, by its name.
    Named(&'static str),
    /// A size that only the running program knows.
    Unknown,
}

impl Size {
    /// The size of a dimension's type.
    pub const fn of<D: Dim>() -> Self {
        D::SIZE
    }

    /// Whether the two are known to differ.
    #[inline]
    pub const fn differs(self, other: Size) -> bool {
        match (self, other) {
            (Size::Known(a), Size::Known(b)) => a != b,
            (Size::Named(a), Size::Named(b)) => !same_text(a, b),
            _ => false,
        }
    }

    /// The more precise of two sizes that do not differ.
    pub const fn or(self, other: Size) -> Size {
        match self {
            Size::Unknown => other,
            _ => self,
        }
    }

    /// The number, where it is one.
    #[inline]
    pub const fn known(self) -> Option<usize> {
        match self {
            Size::Known(size) => Some(size),
            _ => None,
        }
    }

    /// The sum, where both are known.
    pub const fn plus(self, other: Size) -> Size {
        match (self, other) {
            (Size::Known(a), Size::Known(b)) => Size::Known(a + b),
            _ => Size::Unknown,
        }
    }

    /// The difference, where both are known and it is one.
    pub const fn minus(self, other: Size) -> Size {
        match (self, other) {
            (Size::Known(a), Size::Known(b)) if a >= b => Size::Known(a - b),
            _ => Size::Unknown,
        }
    }

    /// The product, where both are known.
    pub const fn times(self, other: Size) -> Size {
        match (self, other) {
            (Size::Known(a), Size::Known(b)) => Size::Known(a * b),
            _ => Size::Unknown,
        }
    }

    /// The quotient rounded down, where both are known.
    pub const fn over(self, other: Size) -> Size {
        match (self, other) {
            (Size::Known(a), Size::Known(b)) if b > 0 => Size::Known(a / b),
            _ => Size::Unknown,
        }
    }

    /// Whether it is known to be one, so that it broadcasts.
    pub const fn is_one(self) -> bool {
        matches!(self, Size::Known(1))
    }
}

const fn same_text(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// The sizes of a shape as far as they are known while compiling.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    dims: [Size; MAX_RANK],
    rank: usize,
}

impl Sizes {
    /// Sizes, outermost first; at most [`MAX_RANK`].
    pub const fn new(dims: &[Size]) -> Self {
        let mut sizes = Sizes { dims: [Size::Unknown; MAX_RANK], rank: dims.len() };
        let mut axis = 0;
        while axis < dims.len() {
            sizes.dims[axis] = dims[axis];
            axis += 1;
        }
        sizes
    }

    /// Sizes that are all known.
    #[inline]
    pub const fn known(numbers: &[usize]) -> Self {
        let mut sizes = Sizes { dims: [Size::Unknown; MAX_RANK], rank: numbers.len() };
        let mut axis = 0;
        while axis < numbers.len() {
            sizes.dims[axis] = Size::Known(numbers[axis]);
            axis += 1;
        }
        sizes
    }

    /// The number of dimensions.
    #[inline]
    pub const fn rank(&self) -> usize {
        self.rank
    }

    /// The size of one axis.
    #[inline]
    pub const fn at(&self, axis: usize) -> Size {
        self.dims[axis]
    }

    /// The size of an axis counted from the end: 0 is the last.
    #[inline]
    pub const fn from_end(&self, axis: usize) -> Size {
        self.dims[self.rank - 1 - axis]
    }

    /// These sizes with another one at an axis.
    #[inline]
    pub const fn with(mut self, axis: usize, size: Size) -> Self {
        self.dims[axis] = size;
        self
    }

    /// These sizes without one axis.
    pub const fn without(mut self, axis: usize) -> Self {
        let mut i = axis;
        while i + 1 < self.rank {
            self.dims[i] = self.dims[i + 1];
            i += 1;
        }
        self.rank -= 1;
        self
    }

    /// These sizes with one more axis.
    pub const fn inserted(mut self, axis: usize, size: Size) -> Self {
        let mut i = self.rank;
        while i > axis {
            self.dims[i] = self.dims[i - 1];
            i -= 1;
        }
        self.dims[axis] = size;
        self.rank += 1;
        self
    }

    /// These sizes with one more at the end; there are fewer than [`MAX_RANK`].
    pub const fn append(mut self, size: Size) -> Self {
        self.dims[self.rank] = size;
        self.rank += 1;
        self
    }

    /// Whether every size is known.
    pub const fn are_known(&self) -> bool {
        let mut axis = 0;
        while axis < self.rank {
            if self.at(axis).known().is_none() {
                return false;
            }
            axis += 1;
        }
        true
    }

    /// The number of elements, where every size is known.
    pub const fn elements(&self) -> Size {
        let (mut product, mut axis) = (1, 0);
        while axis < self.rank {
            match self.dims[axis] {
                Size::Known(size) => product *= size,
                _ => return Size::Unknown,
            }
            axis += 1;
        }
        Size::Known(product)
    }

    /// Whether the two are known to differ.
    pub const fn differs(&self, other: &Sizes) -> bool {
        if self.rank != other.rank {
            return true;
        }
        let mut axis = 0;
        while axis < self.rank {
            if self.dims[axis].differs(other.dims[axis]) {
                return true;
            }
            axis += 1;
        }
        false
    }

    /// Fills in what only `other` knows.
    pub const fn or(mut self, other: Sizes) -> Sizes {
        let mut axis = 0;
        while axis < self.rank && axis < other.rank {
            self.dims[axis] = self.dims[axis].or(other.dims[axis]);
            axis += 1;
        }
        self
    }
}

/// What a shape rule says: the sizes of the outputs, or why there are none.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant)] // it lives in constants
pub enum Rule {
    /// One output.
    Out(Sizes),
    /// Several outputs, unused places at the end.
    Outs([Sizes; 4]),
    /// The inputs do not fit, and why.
    Refused(Message),
    /// An earlier equation was refused, so nothing is known here.
    Poisoned,
}

impl Rule {
    /// Whether there are output sizes.
    pub const fn fits(&self) -> bool {
        matches!(self, Rule::Out(_) | Rule::Outs(_))
    }

    /// The sizes of output `index`.
    pub const fn output(&self, index: usize) -> Rule {
        match self {
            Rule::Outs(sizes) => Rule::Out(sizes[index]),
            Rule::Out(_) => Rule::Refused(Message::new("this is one tensor, and several are bound")),
            _ => *self,
        }
    }

    /// The sizes of the only output; scalar sizes where there are none.
    #[inline]
    pub const fn sizes(&self) -> Sizes {
        match self {
            Rule::Out(sizes) => *sizes,
            _ => Sizes::new(&[]),
        }
    }

    /// Stops compiling with the reason if the rule refused.
    #[track_caller]
    #[inline]
    pub const fn speak(&self) {
        if let Rule::Refused(message) = self {
            panic!("{}", message.as_str());
        }
    }
}

/// The rule of a signature: the inputs must fit what is declared, and the outputs are what is declared, with the
/// names of generic dimensions replaced by the sizes that the inputs give them.
///
/// `name` begins a refusal.
pub const fn signature(name: &str, declared: &[Sizes], inputs: &[Sizes], outputs: &[Sizes]) -> Rule {
    let mut input = 0;
    while input < declared.len() {
        let resolved = resolve(declared[input], declared, inputs, input);
        if resolved.differs(&inputs[input]) {
            let message = Message::new(name).text(": takes ").sizes(resolved.or(declared[input]));
            return Rule::Refused(message.text(", but its input is ").sizes(inputs[input]));
        }
        input += 1;
    }
    let mut outs = [Sizes::new(&[]); 4];
    let mut output = 0;
    while output < outputs.len() {
        outs[output] = resolve(outputs[output], declared, inputs, declared.len());
        output += 1;
    }
    if outputs.len() == 1 { Rule::Out(outs[0]) } else { Rule::Outs(outs) }
}

/// Replaces names by what the first `count` inputs give them.
const fn resolve(mut sizes: Sizes, declared: &[Sizes], inputs: &[Sizes], count: usize) -> Sizes {
    let mut axis = 0;
    while axis < sizes.rank {
        if let Size::Named(name) = sizes.dims[axis] {
            sizes.dims[axis] = lookup(name, declared, inputs, count);
        }
        axis += 1;
    }
    sizes
}

const fn lookup(name: &str, declared: &[Sizes], inputs: &[Sizes], count: usize) -> Size {
    let mut input = 0;
    while input < count {
        let mut axis = 0;
        while axis < declared[input].rank && axis < inputs[input].rank {
            if let Size::Named(other) = declared[input].dims[axis]
                && same_text(name, other)
            {
                return inputs[input].dims[axis];
            }
            axis += 1;
        }
        input += 1;
    }
    Size::Unknown
}

/// Whether the result of a body is what is declared.
pub const fn returns(name: &str, body: Rule, declared: Sizes) -> Rule {
    match body {
        Rule::Out(sizes) if sizes.differs(&declared) => {
            let message = Message::new(name).text(": the body returns ").sizes(sizes);
            Rule::Refused(message.text(", but the declared result is ").sizes(declared))
        }
        Rule::Out(sizes) => Rule::Out(sizes),
        _ => Rule::Poisoned,
    }
}

/// Whether an arm of a branch has the shape of the first arm.
pub const fn arm(name: &str, first: Rule, other: Rule) -> Rule {
    match (first, other) {
        (Rule::Out(expected), Rule::Out(sizes)) if sizes.differs(&expected) => {
            let message = Message::new("`").text(name).text("` is ").sizes(sizes).text(" in this arm, but ");
            Rule::Refused(message.sizes(expected).text(" in the first one: all arms have one shape"))
        }
        // What was refused has spoken.
        (_, Rule::Refused(_)) => Rule::Poisoned,
        (_, other) => other,
    }
}

/// Whether a value that an arm leaves as it is has the shape that the first arm gives it.
pub const fn unchanged(name: &str, first: Rule, before: Rule) -> Rule {
    match (first, before) {
        (Rule::Out(expected), Rule::Out(sizes)) if sizes.differs(&expected) => {
            let message = Message::new("`").text(name).text("` is ").sizes(sizes);
            let message = message.text(" where nothing is assigned to it, but ").sizes(expected);
            Rule::Refused(message.text(" in the first arm: all arms have one shape"))
        }
        (_, Rule::Refused(_)) => Rule::Poisoned,
        (_, before) => before,
    }
}

/// Whether what a loop carries has the same shape after a pass as before it.
pub const fn carried(name: &str, before: Rule, after: Rule) -> Rule {
    match (before, after) {
        (Rule::Out(expected), Rule::Out(sizes)) if sizes.differs(&expected) => {
            let message = Message::new("`")
                .text(name)
                .text("` is ")
                .sizes(expected)
                .text(" before a pass of the loop, but ");
            let message = message
                .sizes(sizes)
                .text(" after it; where passes differ in shapes, write `#[unroll]` before `for`");
            Rule::Refused(message)
        }
        (_, Rule::Refused(_)) => Rule::Poisoned,
        (_, after) => after,
    }
}

/// Whether what is written into a variable has the shape that it was declared with.
pub const fn written(name: &str, value: Rule, declared: Sizes) -> Rule {
    match value {
        Rule::Out(sizes) if sizes.differs(&declared) => {
            let message = Message::new("the variable `").text(name).text("` is ").sizes(declared);
            Rule::Refused(message.text(", and what is written to it is ").sizes(sizes))
        }
        Rule::Out(sizes) => Rule::Out(sizes),
        _ => Rule::Poisoned,
    }
}

/// Whether a binding has the shape that its type says.
pub const fn declared(name: &str, bound: Rule, declared: Sizes) -> Rule {
    match bound {
        Rule::Out(sizes) if sizes.differs(&declared) => {
            let message = Message::new("`").text(name).text("` is ").sizes(sizes);
            Rule::Refused(message.text(", but its type says ").sizes(declared))
        }
        Rule::Out(sizes) => Rule::Out(sizes),
        _ => Rule::Poisoned,
    }
}
