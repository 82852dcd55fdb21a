//! The library under another path.

use rpc_parallel as other;

pub(crate) mod inner {
    pub(crate) use rpc_parallel as library;
}

#[other::worker(crate = crate::renamed::inner::library)]
pub(crate) trait Renamed {
    async fn get(&self, n: &str) -> String;
    fn set(&self, n: u8);
}

#[other::worker(crate = crate::renamed::inner::library)]
impl Renamed for crate::bare::State {
    async fn get(&self, n: &str) -> String {
        n.to_owned()
    }
    fn set(&self, _: u8) {}
}

#[test]
fn the_client_is_there() {
    assert_eq!(<RenamedClient as other::Client>::INTERFACE.functions.len(), 2);
}
