//! mailtwin, a digital twin of mail flow: where a message goes, when it arrives, over what TLS, and why.
//!
//! A scenario is text; [`scenario::load_text`] makes a [`model::Model`] of it, [`engine::run`] plays it, [`analysis::build`] makes the tree of
//! messages, hops, attempts and connections that `report` prints and `verify` judges.
//!
//! ```
//! use mailtwin::{analysis, engine, scenario};
//!
//! let text = r##"Scenario(
//!     dns: (records: r#"
//!         lumen.example.      MX 10 mx1.lumen.example.
//!         lumen.example.      MX 20 mx2.lumen.example.
//!         mx1.lumen.example.  A 192.0.2.1
//!         mx2.lumen.example.  A 192.0.2.2
//!     "#),
//!     systems: {
//!         "mx1": Mta(hostname: "mx1.lumen.example", mailboxes: ["*@lumen.example"]),
//!         "mx2": Mta(hostname: "mx2.lumen.example", relay_domains: ["lumen.example"], smart_hosts: ["[mx1.lumen.example]"]),
//!     },
//!     faults: { "power cut": Down(target: "mx1", lasts: "1h") },
//!     traffic: { "order": Message(from: "olga@bakery.example", to: ["maria@lumen.example"]) },
//! )"##;
//! let loaded = scenario::load_text("example", text).expect("a good scenario");
//! let run = engine::run(&loaded.model, &engine::Options::default());
//! let outcome = analysis::build(&loaded.model, &run);
//! let maria = &outcome.messages[0].recipients[0];
//! assert_eq!(maria.fate.as_str(), "delivered");
//! let hosts: Vec<&str> = maria.hops.iter().filter_map(|hop| hop.to.as_ref()).map(|place| &*place.host).collect();
//! assert_eq!(hosts, ["mx2", "mx1"]); // the backup took it, and brought it home when the primary was back
//! ```
//!
//! The rooms, from the bottom up; a room uses those before it, never one after it (`tests/architecture.rs`):
//! [`base`] the words · [`diag`] complaints with their places · [`model`] the compiled world · [`decide`] the rule books, pure · [`trace`] the record ·
//! [`scenario`] text to model · [`engine`] the clockwork · [`analysis`] questions to a run · [`verify`] expectations · [`report`] how answers look ·
//! [`cli`] the commands.

pub mod analysis;
pub mod base;
pub mod cli;
pub mod decide;
pub mod diag;
pub mod engine;
pub mod model;
pub mod report;
pub mod scenario;
pub mod trace;
pub mod verify;

pub use scenario::{Invalid, Loaded, load_path as load};
