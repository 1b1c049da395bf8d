//! How does a receiving host behave, and when? From the words of a case to facts of a host and faults of a scenario.
//!
//! A window replaces the base behaviour as a whole, so time is cut at the windows' edges and each piece has one behaviour of its own. What stands
//! in the host itself (certificate, limits, TLS versions) changes at those edges by a dated change; everything else is a fault with a beginning and an end.

use crate::case::{Behaviour, Host, Rcpt, Scripted, Starttls};
use crate::ron::{list, moment, quoted};

/// A host's time, cut at the edges of its windows.
pub struct Piece {
    pub from: Option<f64>,
    pub until: Option<f64>,
    pub behaviour: Behaviour,
}

pub fn pieces(host: &Host) -> Vec<Piece> {
    let mut edges: Vec<f64> =
        host.windows.iter().flat_map(|window| [window.from, window.until]).flatten().filter(|edge| *edge > 0.0).collect();
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    let starts = std::iter::once(None).chain(edges.iter().copied().map(Some));
    let ends = edges.iter().copied().map(Some).chain(std::iter::once(None));
    starts
        .zip(ends)
        .map(|(from, until)| {
            let now = from.unwrap_or(0.0);
            let holds = |edge: &&crate::case::Window| edge.from.unwrap_or(0.0) <= now && edge.until.is_none_or(|end| now < end);
            let behaviour = host.windows.iter().find(holds).map_or(&host.behaviour, |window| &window.behaviour);
            Piece { from, until, behaviour: behaviour.clone() }
        })
        .collect()
}

/// One certificate as a case describes it: the kind, and the names in it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Certificate {
    pub kind: String,
    pub names: Vec<String>,
}

impl Certificate {
    pub fn of(host: &Host, starttls: &Starttls) -> Self {
        let names = starttls.names.clone().unwrap_or_else(|| vec![host.name.clone()]);
        Self { kind: starttls.cert.clone().unwrap_or_else(|| "valid".into()), names }
    }

    /// The entry under `certificates`.
    pub fn ron(&self) -> Result<String, String> {
        let facts = match self.kind.as_str() {
            "valid" => "issuer: \"test CA\"",
            "self-signed" => "issuer: \"self-signed\"",
            "untrusted-ca" => "issuer: \"untrusted CA\"",
            "expired" => "issuer: \"test CA\", not_after: \"0s\"",
            "not-yet-valid" => "issuer: \"test CA\", not_before: \"365d\"",
            other => return Err(format!("certificate `{other}`")),
        };
        Ok(format!("(names: {}, {facts})", list(&self.names)))
    }
}

/// The fields of a host that follow from its behaviour. `certificate` is the name under `certificates`, if the host has one.
pub fn host_fields(behaviour: &Behaviour, certificate: Option<&str>) -> Result<String, String> {
    let mut listener = match behaviour.size {
        Some(_) => String::from("without: [\"SMTPUTF8\", \"DSN\", \"CHUNKING\"]"),
        None => String::from("without: [\"SIZE\", \"SMTPUTF8\", \"DSN\", \"CHUNKING\"]"),
    };
    listener += &format!(", require_tls: {}", behaviour.require_tls);
    if let Some(starttls) = &behaviour.starttls {
        let (oldest, newest) = versions(starttls)?;
        listener += &format!(", tls_versions: ({oldest}, {newest})");
    }
    let mut fields = format!("certificate: {}, listeners: {{ \"smtp\": ({listener}) }}", quoted(certificate.unwrap_or("none")));
    if let Some(size) = behaviour.size {
        let size = if size == 0 { "unlimited".into() } else { format!("{size}B") };
        fields += &format!(", max_message_size: {}", quoted(&size));
    }
    if let Some(limit) = behaviour.max_rcpts {
        fields += &format!(", max_recipients: {limit}");
    }
    Ok(fields)
}

/// What a scripted host speaks: what it was told, else TLS 1.2 and 1.3.
fn versions(starttls: &Starttls) -> Result<(&'static str, &'static str), String> {
    let word = |version: &str| match version {
        "TLSv1" => Ok("Tls10"),
        "TLSv1.1" => Ok("Tls11"),
        "TLSv1.2" => Ok("Tls12"),
        "TLSv1.3" => Ok("Tls13"),
        other => Err(format!("TLS version `{other}`")),
    };
    let newest = starttls.max.as_deref().map_or(Ok("Tls13"), word)?;
    let oldest = starttls.min.as_deref().map_or(Ok("Tls12"), word)?;
    Ok((oldest.min(newest), newest))
}

/// One fault: its name in the scenario, and its text.
pub struct Fault {
    pub name: String,
    pub text: String,
}

/// The faults of one piece of a host's time. `client_leaves`: the server under test closes its side with the final dot.
pub fn faults(key: &str, piece: &Piece, client_leaves: bool) -> Result<Vec<Fault>, String> {
    let behaviour = &piece.behaviour;
    let mut faults = Vec::new();
    let mut add = |what: &str, kind: &str, fields: String| {
        let mut name = format!("{key} {what}");
        let mut times = String::new();
        if let Some(from) = piece.from {
            name += &format!(" from {}", moment(from));
            times += &format!(", at: {}", quoted(&moment(from)));
        }
        if let Some(until) = piece.until {
            times += &format!(", until: {}", quoted(&moment(until)));
        }
        let fields = if fields.is_empty() { String::new() } else { format!(", {fields}") };
        faults.push(Fault { name, text: format!("{kind}(target: {}{fields}{times})", quoted(key)) });
    };
    match behaviour.net.as_deref() {
        None | Some("listen") => {}
        Some("refuse") => add("refuses", "Down", "how: Refused".into()),
        // A host that is gone from the wire answers no neighbour query: the connect runs into its timeout, as with a dropped SYN.
        Some("drop" | "link_down") => add("silent", "Down", "how: Silent".into()),
        Some("unreachable") => add("unreachable", "Down", "how: Unreachable".into()),
        Some(other) => return Err(format!("net `{other}`")),
    }
    for (phase, reply) in [
        ("Banner", &behaviour.banner),
        ("Ehlo", &behaviour.ehlo),
        ("Helo", &behaviour.helo),
        ("Mail", &behaviour.mail),
        ("Data", &behaviour.data),
        ("FinalDot", &behaviour.eod),
    ] {
        if let Some(reply) = reply {
            add(phase, "Reply", format!("phase: {phase}, {}", reply_fields(reply)?));
        }
    }
    match &behaviour.rcpt {
        None => {}
        Some(Rcpt::All(reply)) => add("Rcpt", "Reply", format!("phase: Rcpt, {}", reply_fields(reply)?)),
        Some(Rcpt::By(patterns)) => {
            for (pattern, reply) in patterns {
                let fields = format!("phase: Rcpt, recipient: {}, {}", quoted(pattern), reply_fields(reply)?);
                add(&format!("Rcpt {pattern}"), "Reply", fields);
            }
        }
    }
    if let Some(drop) = &behaviour.drop_at {
        let how = match drop.how.as_deref() {
            None | Some("close") => "Close",
            Some("reset") => "Reset",
            Some(other) => return Err(format!("drop_at how `{other}`")),
        };
        let mut fields = format!("phase: {}, how: {how}", phase(&drop.stage)?);
        if let Some(bytes) = drop.after_bytes {
            fields += &format!(", after: \"{bytes}B\"");
        }
        if drop.accepted {
            fields += ", accepted: true";
        }
        add("drops", "Drop", fields + &times(drop.times));
    }
    if let Some(hang) = &behaviour.hang_at {
        // Exim says QUIT along with the final dot and closes its side; a scripted host notices that and closes too.
        let left = client_leaves && matches!(hang.stage.as_str(), "content" | "eod");
        let (stage, how) = if left { ("FinalDot", "Close") } else { (phase(&hang.stage)?, "Silence") };
        add("hangs", "Drop", format!("phase: {stage}, how: {how}{}", times(hang.times)));
    }
    match behaviour.starttls.as_ref().and_then(|starttls| starttls.mode.as_deref()) {
        None | Some("ok") => {}
        Some("454") => add("STARTTLS", "Starttls", "how: Refused, code: \"454 4.7.0 TLS not available\"".into()),
        Some("none") => add("STARTTLS", "Starttls", "how: Refused, code: \"502 5.5.1 not implemented\"".into()),
        Some("close") => add("STARTTLS", "Starttls", "how: Closes".into()),
        Some("garbage") => add("STARTTLS", "Starttls", "how: HandshakeFails".into()),
        Some("hang") => add("STARTTLS", "Starttls", "how: Hangs".into()),
        Some(other) => return Err(format!("starttls mode `{other}`")),
    }
    if let Some(grey) = &behaviour.greylist {
        let delay = quoted(&moment(grey.delay));
        add("greylists", "Greylist", format!("delay: {delay}, code: \"450 4.2.0 greylisted, try again later\""));
    }
    Ok(faults)
}

fn reply_fields(reply: &Scripted) -> Result<String, String> {
    let words = [Some(reply.code.to_string()), reply.enh.clone(), reply.text.clone()];
    let mut fields = format!("code: {}", quoted(&words.into_iter().flatten().collect::<Vec<_>>().join(" ")));
    match reply.then.as_deref() {
        None if reply.code != 421 => {}
        None | Some("close") => fields += ", then: Close",
        Some(other) => return Err(format!("then `{other}`")),
    }
    Ok(fields + &times(reply.times))
}

fn times(times: Option<u32>) -> String {
    times.map_or_else(String::new, |times| format!(", times: {times}"))
}

fn phase(stage: &str) -> Result<&'static str, String> {
    Ok(match stage {
        "banner" => "Banner",
        "ehlo" => "Ehlo",
        "helo" => "Helo",
        "starttls" => "Starttls",
        "mail" => "Mail",
        "rcpt" => "Rcpt",
        "data" => "Data",
        "content" => "Content",
        "eod" => "FinalDot",
        other => return Err(format!("stage `{other}`")),
    })
}

#[test]
fn a_window_replaces_the_base_behaviour() {
    let host = r#"{"name": "mx1.dest.test", "addrs": ["10.77.0.11"], "behaviour": {"greylist": {"delay": 3}, "starttls": {"cert": "expired"}},
        "windows": [{"from": 2, "until": 6.5, "behaviour": {"net": "refuse"}}]}"#;
    let host: Host = serde_json::from_str(host).unwrap_or_else(|error| panic!("{error}"));
    let pieces = pieces(&host);
    let lines: Vec<String> = pieces
        .iter()
        .flat_map(|piece| faults("mx1", piece, false).unwrap_or_default())
        .map(|f| format!("{}: {}", f.name, f.text))
        .collect();
    let greylist = "Greylist(target: \"mx1\", delay: \"3s\", code: \"450 4.2.0 greylisted, try again later\"";
    let expected = [
        format!("mx1 greylists: {greylist}, until: \"2s\")"),
        "mx1 refuses from 2s: Down(target: \"mx1\", how: Refused, at: \"2s\", until: \"6500ms\")".to_owned(),
        format!("mx1 greylists from 6500ms: {greylist}, at: \"6500ms\")"),
    ];
    assert_eq!(lines, expected);
    let fields: Vec<String> = pieces.iter().map(|piece| host_fields(&piece.behaviour, Some("mx1")).unwrap_or_default()).collect();
    assert!(fields[0] == fields[2] && fields[0].contains("tls_versions") && !fields[1].contains("tls_versions"), "{fields:?}");
}
