//! `vmap!`: functions of one example, computed for many.

mod functions;
