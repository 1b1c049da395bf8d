//! A machine whose slots come back serves those who wait, before their patience ends.

use mailtwin::{analysis, engine, scenario};

#[test]
fn slots_that_come_back_are_used_at_once() {
    let text = r##"Scenario(
        dns: (records: r#"
            d.example.     MX 10 mx.d.example.
            mx.d.example.  A 192.0.2.1
        "#),
        systems: { "mx": Mta(hostname: "mx.d.example", mailboxes: ["*@d.example"]) },
        faults: { "shut": Capacity(target: "mx", sessions: 0, until: "1m") },
        traffic: { "m": Message(from: "a@b.example", to: ["c@d.example"], count: 3) },
    )"##;
    let loaded = scenario::load_text("capacity", text).expect("a good scenario");
    let outcome = analysis::build(&loaded.model, &engine::run(&loaded.model, &engine::Options::default()));
    for message in &outcome.messages {
        let recipient = &message.recipients[0];
        assert_eq!(recipient.fate.as_str(), "delivered");
        let seconds = recipient.at.0 / mailtwin::base::SECOND;
        assert!((60..62).contains(&seconds), "{} arrived after {seconds} s", message.id);
    }
}
