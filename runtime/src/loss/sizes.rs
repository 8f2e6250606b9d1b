//! The shape rules that losses share, in numbers.

use crate::shape::{Message, Rule, Shape, Sizes};
use crate::tensor::{Element, Tensor, known};

/// Two inputs of the same sizes, which the output has too.
pub(super) const fn same(op: &'static str, [a_name, b_name]: [&'static str; 2], a: Sizes, b: Sizes) -> Rule {
    compare(op, [a_name, b_name], "their last axis", a, b)
}

const fn compare(
    op: &'static str,
    [a_name, b_name]: [&'static str; 2],
    last: &'static str,
    a: Sizes,
    b: Sizes,
) -> Rule {
    let both = Message::new(op)
        .text(": ")
        .text(a_name)
        .text(" ")
        .sizes(a)
        .text(" and ")
        .text(b_name)
        .text(" ")
        .sizes(b);
    if a.rank() != b.rank() {
        return Rule::Refused(both.text(" differ in their number of axes"));
    }
    let mut axis = a.rank();
    while axis > 0 {
        axis -= 1;
        if a.at(axis).differs(b.at(axis)) {
            return Rule::Refused(if axis + 1 == a.rank() && a.rank() > 1 {
                both.text(" differ in ").text(last)
            } else {
                both.text(" differ in axis ").number(axis)
            });
        }
    }
    Rule::Out(a.or(b))
}

/// As [`same`], and the output has one number for each row.
pub(super) const fn rows(op: &'static str, names: [&'static str; 2], a: Sizes, b: Sizes) -> Rule {
    rows_of("their last axis", op, names, a, b)
}

/// As [`rows`]: a row has one number for each class.
pub(super) const fn rows_of_classes(op: &'static str, a: Sizes, b: Sizes) -> Rule {
    rows_of("classes", op, ["logits", "labels"], a, b)
}

const fn rows_of(last: &'static str, op: &'static str, names: [&'static str; 2], a: Sizes, b: Sizes) -> Rule {
    match compare(op, names, last, a, b) {
        Rule::Out(sizes) if sizes.rank() == 0 => {
            Rule::Refused(Message::new(op).text(": ").text(names[0]).text(" [] have no last axis"))
        }
        Rule::Out(sizes) => Rule::Out(sizes.without(sizes.rank() - 1)),
        refused => refused,
    }
}

/// Applies a rule to the sizes of two tensors.
///
/// # Panics
/// If it refuses: types cannot tell that two dimensions which are `Dyn` are of different sizes.
#[track_caller]
pub(super) fn check<S: Shape, T: Shape, E: Element, F: Element>(
    rule: fn([Sizes; 2]) -> Rule,
    a: &Tensor<S, E>,
    b: &Tensor<T, F>,
) {
    rule([known(a.shape()), known(b.shape())]).speak();
}
