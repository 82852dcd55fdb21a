fn main() {}
#[test]
fn every_misuse_is_refused() {
    trybuild::TestCases::new().compile_fail("compile_fail/*.rs");
}
