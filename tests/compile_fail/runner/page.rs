//! `docs/misuse.md`.

use crate::rules::Rule;

const HEAD: &str = "\
# Misuse, and what the compiler says

Each section is a rule: what to write instead of what, the smallest program that breaks it, and the error. The programs
are the files of `tests/compile_fail`, and a test compares the errors with those of the compiler; line numbers are of
the files, which begin with the rule. This page is made from them:
`UPDATE_DOCS=1 cargo test -p rpc-parallel-tests --test compile_fail`.
";

/// The page, of all rules.
pub(crate) fn page(rules: &[Rule]) -> String {
    let mut page = HEAD.to_owned();
    for (title, _) in GROUPS {
        page.push_str(&format!("\n**{title}**\n\n"));
        for rule in of(rules, title) {
            page.push_str(&format!("- [{}](#{})\n", heading(rule), heading(rule).replace(' ', "-").to_lowercase()));
        }
    }
    for (title, _) in GROUPS {
        page.push_str(&format!("\n## {title}\n"));
        for rule in of(rules, title) {
            page.push_str(&section(rule));
        }
    }
    page
}

/// The chapters, each with how its rules begin. The first that fits has the rule; the last takes all.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "Types that cannot travel",
        &[
            "argument_not",
            "borrowed_argument",
            "boxed_error",
            "error_not",
            "generic_argument",
            "init_arg",
            "io_",
            "item_not",
            "result_not",
        ],
    ),
    ("Arguments", &["borrowed_item", "closure", "dyn_", "impl_", "mutable_arg", "pattern", "self_in", "stream_in"]),
    ("Results and streams", &["blocking_stream", "one_way", "optional_stream", "returned"]),
    (
        "Methods",
        &[
            "arc_receiver",
            "equal_names",
            "generic_method",
            "lifetime_param",
            "local_",
            "method_",
            "mutable_rec",
            "no_receiver",
            "receiver",
            "rpc_in",
            "unknown_method",
            "unsafe_method",
            "variadic",
            "where_",
        ],
    ),
    ("The trait", &["associated", "attribute_on", "includes", "lifetime_on", "unknown_trait"]),
    (
        "Implementations and their state",
        &[
            "client_not",
            "connection_argument",
            "future_not",
            "generic_impl",
            "inherent",
            "init_with",
            "no_",
            "trait_",
            "worker_not",
        ],
    ),
    ("`main`", &["main_", "threads_", "unknown_main"]),
    ("Using a worker", &[""]),
];

fn of<'a>(rules: &'a [Rule], title: &'a str) -> impl Iterator<Item = &'a Rule> {
    rules.iter().filter(move |rule| {
        let group = GROUPS.iter().find(|(_, starts)| starts.iter().any(|start| rule.name.starts_with(start)));
        group.is_some_and(|(group, _)| *group == title)
    })
}

/// `no_init` to `No init`.
fn heading(rule: &Rule) -> String {
    let words = rule.name.replace('_', " ");
    let (first, rest) = words.split_at(1);
    first.to_uppercase() + rest
}

fn section(rule: &Rule) -> String {
    let Rule { sentences, code, error, .. } = rule;
    format!(
        "\n### {}\n\n{}\n\n```rust,compile_fail\n{code}\n```\n\n```text\n{}\n```\n",
        heading(rule),
        sentences.join("\n"),
        error.trim_end()
    )
}
