#[path = "../it/finite_differences.rs"]
mod finite_differences;
mod module {
    #[path = "../../it/module/assignment.rs"]
    mod assignment;
    #[path = "../../it/module/branches.rs"]
    mod branches;
    #[path = "../../it/module/loops.rs"]
    mod loops;
    #[path = "../../it/module/remat.rs"]
    mod remat;
}
