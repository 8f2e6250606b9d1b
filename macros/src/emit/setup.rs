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

/// All statements in order; `of_equation` gives those of one equation and what they bind.
pub fn with_setup(body: &Body, of_equation: impl Fn(usize) -> (TokenStream, Vec<Bound>)) -> TokenStream {
    let (mut block, mut around) = (Block::default(), Vec::new());
    for index in 0..=body.eqns.len() {
        for (_, setup) in body.setup.iter().filter(|(before, _)| *before == index) {
            match setup {
                Setup::Statement(statement) => block.statements.extend(statement.clone()),
                Setup::Enter => around.push(std::mem::take(&mut block)),
                Setup::Leave => {
                    let inner = std::mem::replace(&mut block, around.pop().unwrap_or_default());
                    block.close(inner, body, index);
                }
            }
        }
        if index < body.eqns.len() {
            let (statements, bound) = of_equation(index);
            block.statements.extend(statements);
            block.bound.extend(bound);
        }
    }
    block.statements
}

impl Block {
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
