//! `vmap!`: functions of one example, computed for many.

mod axes;
mod functions;
mod modules;
mod parity;
mod rules;
