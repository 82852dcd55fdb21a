@0xd9a4f3c5b1e07a62;
# What the worker does for Cap'n Proto. `capnp compile -orust` made bench_capnp.generated of it.

interface Bench {
  next @0 (n :UInt64) -> (n :UInt64);
  echo @1 (bytes :Data) -> (bytes :Data);
  numbers @2 (count :UInt64, sink :Numbers) -> ();
  blocks @3 (count :UInt64, sink :Blocks) -> ();
}

interface Numbers {
  push @0 (n :UInt64) -> stream;
}

interface Blocks {
  push @0 (block :Block) -> stream;
}

struct Block {
  a @0 :Float64;
  b @1 :Float64;
  c @2 :Float64;
  d @3 :Float64;
  e @4 :Float64;
  f @5 :Float64;
  g @6 :Float64;
  h @7 :Float64;
}
