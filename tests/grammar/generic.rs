//! Traits with type parameters, and implementations with them.

use std::{collections::HashMap, convert::Infallible, fmt::Debug, hash::Hash};

use crate::block_on;
use futures_util::{Stream, stream};
use rpc_parallel::{Client, Init, WorkerContext, worker};

#[worker]
pub(crate) trait Store<K, V>
where
    V: Clone,
{
    async fn get(&self, key: &K) -> Option<V>;
    async fn first(&self, key: K) -> V;
    async fn all(&self, keys: &[K]) -> Result<Vec<V>, String>;
    async fn stream(&self, keys: impl Stream<Item = K>) -> impl Stream<Item = V>;
    fn count(&self) -> usize;
}

pub(crate) struct Mem(HashMap<String, u64>);

impl Init for Mem {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self(HashMap::new()))
    }
}

#[worker]
impl Store<String, u64> for Mem {
    async fn get(&self, key: &String) -> Option<u64> {
        self.0.get(key).copied()
    }
    async fn first(&self, key: String) -> u64 {
        self.0[&key]
    }
    async fn all(&self, keys: &[String]) -> Result<Vec<u64>, String> {
        Ok(keys.iter().map(|key| self.0[key]).collect())
    }
    async fn stream(&self, _keys: impl Stream<Item = String>) -> impl Stream<Item = u64> {
        stream::iter(self.0.values().copied())
    }
    fn count(&self) -> usize {
        self.0.len()
    }
}

#[worker]
pub(crate) trait Bounded<K: Hash + Eq + Debug, const N: usize> {
    async fn shown(&self, key: &K) -> [u8; 2];
    async fn size(&self) -> usize {
        N
    }
}

#[worker]
impl Bounded<u8, 3> for Mem {
    async fn shown(&self, key: &u8) -> [u8; 2] {
        [*key; 2]
    }
}

#[worker]
pub(crate) trait Plain {
    async fn show(&self) -> String;
}

pub(crate) struct Wrap<T>(T);

impl<T: Default + Send + Sync + 'static> Init for Wrap<T> {
    type Arg = ();
    type Error = Infallible;

    async fn init((): (), _: &WorkerContext) -> Result<Self, Infallible> {
        Ok(Self(T::default()))
    }
}

#[worker(for(Wrap<u64> as Plain, Wrap<String> as Plain))]
impl<T: Debug + Default + Send + Sync + 'static> Plain for Wrap<T> {
    async fn show(&self) -> String {
        format!("{:?}", self.0)
    }
}

#[test]
fn generic_traits_are_called_directly() {
    let mem = Mem(HashMap::from([("a".to_owned(), 1)]));
    block_on(async {
        assert_eq!(mem.get(&"a".to_owned()).await, Some(1));
        assert_eq!(mem.first("a".to_owned()).await, 1);
        assert_eq!(mem.size().await, 3);
        assert_eq!(Wrap(2).show().await, "2");
    });
}

#[test]
fn ids_have_no_type_parameters() {
    assert_eq!(StoreClient::<String, u64>::INTERFACE.id, StoreClient::<u8, u8>::INTERFACE.id);
    assert_eq!(BoundedClient::<u8, 3>::INTERFACE.name, "grammar::generic::Bounded");
}
