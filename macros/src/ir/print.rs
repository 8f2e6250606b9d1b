//! The IR as text, for snapshots and for the documentation of generated code.

use super::{Arg, Body, Call, Element, Eqn, Setup, Var};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::fmt::{self, Display};

/// A variable's name in text and in generated code: the user's name, `r#type` as `type`, and a number.
pub fn var_name(body: &Body, var: Var) -> String {
    let name = &body.info(var).name;
    format!("{}_{}", name.strip_prefix("r#").unwrap_or(name), var.0)
}

/// Tokens with the spaces that a person would write.
pub fn tidy(tokens: &TokenStream) -> String {
    let mut text = String::new();
    let mut tokens = tokens.clone().into_iter().peekable();
    let mut after_word = false;
    while let Some(token) = tokens.next() {
        let is_word = matches!(token, TokenTree::Ident(_) | TokenTree::Literal(_));
        match &token {
            TokenTree::Punct(punct) => match punct.as_char() {
                // A comma before the end of a tuple is Rust's, not the reader's.
                ',' if tokens.peek().is_none() => {}
                ',' => text += ", ",
                operator @ ('=' | '+' | '*' | '/' | '-') if after_word => text += &format!(" {operator} "),
                other => text.push(other),
            },
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => (" { ", " }"),
                    Delimiter::None => ("", ""),
                };
                text += &format!("{open}{}{close}", tidy(&group.stream()));
            }
            word => {
                let space = if after_word && is_word && !text.ends_with(' ') { " " } else { "" };
                text += &format!("{space}{word}");
            }
        }
        after_word = is_word || matches!(token, TokenTree::Group(_));
    }
    decimals(&text.replace("::flaxen::shape::dim::", ""))
}

/// `Dim2<2, 8>` as `28`.
fn decimals(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find("Dim") {
        let (before, dim) = rest.split_at(at);
        out.push_str(before);
        let inside = dim
            .get(3..4)
            .filter(|count| count.parse::<u8>().is_ok())
            .and_then(|_| dim.get(4..)?.strip_prefix('<'));
        match inside.and_then(|inside| inside.split_once('>')) {
            Some((digits, after)) => {
                out.extend(digits.chars().filter(char::is_ascii_digit));
                rest = after;
            }
            None => {
                out.push_str("Dim");
                rest = &dim[3..];
            }
        }
    }
    out + rest
}

/// One equation as text.
pub fn eqn(body: &Body, eqn: &Eqn) -> String {
    let outs: Vec<String> = eqn.outs.iter().map(|&out| var_name(body, out)).collect();
    let mut args: Vec<String> = eqn.args.iter().map(|argument| arg(body, argument)).collect();
    if let Call::Apply { variables, .. } = &eqn.call {
        args.insert(0, arg(body, variables));
    }
    let call = format!("{}({})", callee(body, &eqn.call), args.join(", "));
    if outs.is_empty() { call } else { format!("{} = {call}", outs.join(", ")) }
}

/// What an equation calls, as text.
pub fn callee(body: &Body, call: &Call) -> String {
    match call {
        Call::Op { ty, values } => {
            let values: Vec<String> = values.iter().map(tidy).collect();
            let op = tidy(ty)
                .replace("::flaxen::ops::", "")
                .replace("::Op", "")
                .replace("::flaxen::__private::", "");
            if values.is_empty() { op } else { format!("{op}[{}]", values.join(", ")) }
        }
        Call::Submodule(index) => {
            let submodule = &body.submodules[*index];
            if submodule.held {
                return match submodule.element {
                    None => format!("self.{}", submodule.field),
                    Some(Element { index, array: false, .. }) => format!("self.{}.{index}", submodule.field),
                    Some(Element { index, .. }) => format!("self.{}[{index}]", submodule.field),
                };
            }
            format!("{}[{}]", submodule.name, submodule.text)
        }
        Call::Param(index) => format!("param {}", body.params[*index].name),
        Call::Branch(branch) => {
            let scrutinee = branch.scrutinee.as_ref().map(|tokens| format!(" {}", tidy(tokens)));
            format!("branch{}", scrutinee.unwrap_or_default())
        }
        Call::Loop(repeated) => {
            format!("loop {} in {}", tidy(&repeated.pattern), tidy(&repeated.iterator))
        }
        Call::Variable(index) => variable(body, *index),
        Call::Write { variable: index, phase: None } => format!("write {}", variable(body, *index)),
        Call::Write { variable: index, phase: Some(phase) } => {
            format!("write {} if {}::TRAIN", variable(body, *index), tidy(phase))
        }
        Call::Sow { collection, name } => format!("sow {} {name}", tidy(collection)),
        Call::MakeRng(stream) => format!("make_rng {}", tidy(stream)),
        Call::Phase(phase) => tidy(phase),
        Call::Apply { model, rngs: None, .. } => format!("{}.apply", tidy(model)),
        Call::Apply { model, .. } => format!("{}.apply_mut", tidy(model)),
        Call::Transform(closure) => format!("{}!", closure.transform.name()),
    }
}

/// The bodies inside of an equation, each after what stands before its block.
pub fn heads(call: &Call) -> Vec<(String, &Body)> {
    match call {
        Call::Branch(branch) => branch.bodies().map(|(arm, body)| (tidy(&arm.head), body)).collect(),
        Call::Loop(repeated) => vec![("pass".to_string(), &*repeated.body)],
        _ => Vec::new(),
    }
}

/// Lines with their beginnings moved to the right.
pub fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

fn variable(body: &Body, index: usize) -> String {
    let variable = &body.variables[index];
    format!("{} {}", tidy(&variable.collection), variable.name)
}

fn arg(body: &Body, arg: &Arg) -> String {
    match arg {
        Arg::Var(var) => var_name(body, *var),
        Arg::Outside(tokens) => format!("outside {}", tidy(tokens)),
    }
}

impl Display for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |vars: &[Var]| vars.iter().map(|&var| var_name(self, var)).collect::<Vec<_>>().join(", ");
        writeln!(formatter, "inputs {}", list(&self.inputs))?;
        for (index, equation) in self.eqns.iter().enumerate() {
            for (_, setup) in self.setup.iter().filter(|(before, _)| *before == index) {
                match setup {
                    Setup::Statement(statement) => writeln!(formatter, "  setup {}", tidy(statement))?,
                    Setup::Submodule(index) => {
                        writeln!(formatter, "  construct {}", self.submodules[*index].name)?
                    }
                    Setup::Enter => writeln!(formatter, "  setup {{")?,
                    Setup::Leave => writeln!(formatter, "  setup }}")?,
                }
            }
            writeln!(formatter, "  {}", eqn(self, equation))?;
            for (head, inner) in heads(&equation.call) {
                writeln!(formatter, "    {head}\n{}", indented(&inner.to_string()))?;
            }
        }
        write!(formatter, "outputs {}", list(&self.outputs))
    }
}
