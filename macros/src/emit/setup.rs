//! The user's plain statements between the equations, in the blocks in which they stand.
//!
//! ```text
//! let slope = 0.1;
//! let (part_leaky_relu_0,) = {
//!     let slope = 0.5;
//!     let part_leaky_relu_0 = <leaky_relu::Op>::new(slope);
//!     (part_leaky_relu_0,)
//! };
//! let part_leaky_relu_1 = <leaky_relu::Op>::new(slope);
//! ```

use crate::ir::{Body, Setup, Var};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// A local that an equation's statement binds.
pub enum Bound {
    /// It is read after all blocks.
    Always(Ident),
    /// It holds a variable, which is read after a block only if an equation or a result after it uses it.
    IfUsed(Ident, Var),
}

#[derive(Default)]
struct Block {
    statements: TokenStream,
    bound: Vec<Bound>,
}

/// Statements and what they bind.
pub type Binding = (TokenStream, Vec<Bound>);

/// All statements in order, and what they bind; `of_equation` gives those of one equation, `of_submodule` those that
/// construct a submodule.
pub fn with_setup(
    body: &Body,
    of_equation: impl Fn(usize) -> Binding,
    of_submodule: impl Fn(usize) -> Binding,
) -> (TokenStream, Vec<Ident>) {
    let (mut block, mut around) = (Block::default(), Vec::new());
    for index in 0..=body.eqns.len() {
        for (_, setup) in body.setup.iter().filter(|(before, _)| *before == index) {
            match setup {
                Setup::Statement(statement) => block.statements.extend(statement.clone()),
                Setup::Submodule(index) => block.add(of_submodule(*index)),
                Setup::Enter => around.push(std::mem::take(&mut block)),
                Setup::Leave => {
                    let inner = std::mem::replace(&mut block, around.pop().unwrap_or_default());
                    block.close(inner, body, index);
                }
            }
        }
        if index < body.eqns.len() {
            block.add(of_equation(index));
        }
    }
    let names = block.bound.into_iter().map(|bound| match bound {
        Bound::Always(name) | Bound::IfUsed(name, _) => name,
    });
    (block.statements, names.collect())
}

impl Block {
    fn add(&mut self, (statements, bound): Binding) {
        self.statements.extend(statements);
        self.bound.extend(bound);
    }

    /// Takes a block in that ends before the equation `end`, and binds what is read after it.
    fn close(&mut self, inner: Block, body: &Body, end: usize) {
        let read = body.eqns[end..].iter().flat_map(|eqn| eqn.reads());
        let used: Vec<Var> = read.chain(body.outputs.iter().copied()).collect();
        let bound = inner.bound.into_iter().filter(|bound| match bound {
            Bound::Always(_) => true,
            Bound::IfUsed(_, var) => used.contains(var),
        });
        let bound: Vec<Bound> = bound.collect();
        let names: Vec<&Ident> = bound
            .iter()
            .map(|bound| match bound {
                Bound::Always(name) | Bound::IfUsed(name, _) => name,
            })
            .collect();
        let statements = inner.statements;
        self.statements.extend(quote!(let (#(#names,)*) = { #statements (#(#names,)*) };));
        self.bound.extend(bound);
    }
}
