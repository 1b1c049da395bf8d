//! Where a session fails: what does the sender do now?
//!
//! Sources: RFC 5321 §3.1, §3.8, §4.2 and §4.5.3; RFC 7504; smtp_trouble.c and smtp_proto.c for Postfix. What happens under TLS is in `tls`.

use super::profile::{Behaviour, Greeting5xx, OwnName};
use crate::base::{Enhanced, Phase, Reply};
use crate::model::settings::Sender;

/// What happened to a connection, or to one recipient on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event<'a> {
    /// Nothing listens.
    Refused,
    /// No answer to the connect.
    ConnectTimeout,
    /// No route.
    Unreachable,
    /// The server closed or reset.
    Lost,
    /// The server fell silent.
    Silent,
    /// A reply that is not 2xx or 3xx.
    Reply(&'a Reply),
    /// The message is larger than the announced SIZE.
    TooBig,
    /// The server calls itself by the sender's name.
    OwnName {
        /// No better host was tried before.
        best: bool,
    },
}

/// What the sender does with the recipients concerned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Tries the next host in this attempt; if there is none, defers with this status.
    Next(Enhanced),
    /// Defers at once, without looking at further hosts.
    Defer(Enhanced),
    /// Gives up at once.
    Bounce(Enhanced),
}

/// Judges an event of a session.
///
/// `last`: no further candidate is left in this attempt. `phase` says where the session was. For RCPT the effect is about one recipient, else about
/// all that the session still has.
#[must_use]
pub fn judge(rules: &Behaviour, sender: &Sender, phase: Phase, event: Event<'_>, last: bool) -> Effect {
    let effect = judge_event(rules, sender, phase, event, last);
    match (effect, event) {
        (_, Event::Refused | Event::ConnectTimeout | Event::Unreachable) => effect,
        (Effect::Next(status), _) if rules.session.one_connection => Effect::Defer(status),
        _ => effect,
    }
}

fn judge_event(rules: &Behaviour, sender: &Sender, phase: Phase, event: Event<'_>, last: bool) -> Effect {
    let session = &rules.session;
    match event {
        Event::Refused => Effect::Next(session.refused),
        Event::ConnectTimeout => Effect::Next(session.connect_timeout),
        Event::Unreachable => Effect::Next(session.unreachable),
        Event::Lost | Event::Silent if !session.tempfail_tries_next && in_transaction(phase) => Effect::Defer(session.lost),
        Event::Lost | Event::Silent => Effect::Next(session.lost),
        Event::TooBig => Effect::Bounce(session.too_big.1),
        Event::OwnName { best } => match session.own_name {
            OwnName::BouncesAtLast(_, status) if last => Effect::Bounce(status),
            OwnName::BouncesAtLast(_, status) => Effect::Next(status.with_class(4)),
            OwnName::BouncesIfBest if best => Effect::Bounce(Enhanced(5, 4, 6)),
            OwnName::BouncesIfBest | OwnName::Ignored => Effect::Next(Enhanced(4, 4, 6)),
        },
        Event::Reply(reply) => judge_reply(rules, sender, phase, reply, last),
    }
}

/// MAIL was said.
fn in_transaction(phase: Phase) -> bool {
    matches!(phase, Phase::Mail | Phase::Rcpt | Phase::Data | Phase::Content | Phase::FinalDot)
}

fn judge_reply(rules: &Behaviour, sender: &Sender, phase: Phase, reply: &Reply, last: bool) -> Effect {
    let session = &rules.session;
    // A command out of order is a matter of the session, not of the message (KumoMTA smtp_dispatcher.rs `classify_record`).
    let out_of_order = reply.code == 503 && rules.pass.sequence_errors_wait;
    let temporary = reply.class() != 5 || out_of_order;
    let own = match phase {
        Phase::Data => session.data_status.map(|(for_now, permanent)| if temporary { for_now } else { permanent }),
        Phase::Mail if reply.code == 421 => session.closing_at_mail,
        _ => None,
    };
    // RFC 2034 §4 wants both of one class; `451 5.7.3` is seen all the same, and the reply code says whether it is for good.
    let told = reply.enhanced.filter(|status| status.0 == reply.class() || !session.drops_other_class);
    let bare = || if session.status_by_code { status_by_code(phase, reply.code) } else { Enhanced(reply.class(), 0, 0) };
    let status = own.or(told).unwrap_or_else(bare);
    let status = if out_of_order { status.with_class(4) } else { status };
    match phase {
        Phase::Auth if !temporary && rules.pass.login_5xx_waits => Effect::Next(status.with_class(4)),
        Phase::Banner | Phase::Connect | Phase::Ehlo | Phase::Helo => {
            let rule = match phase {
                Phase::Banner | Phase::Connect if sender.skip_5xx_greeting => Greeting5xx::Next,
                Phase::Banner | Phase::Connect => session.banner_5xx,
                _ => session.helo_5xx,
            };
            let bounces = match rule {
                Greeting5xx::Next => false,
                Greeting5xx::BouncesAtLast => last,
                Greeting5xx::BouncesAtOnce => true,
            };
            match session.greeting_status {
                Some((_, Some(permanent))) if !temporary && bounces => Effect::Bounce(permanent),
                _ if !temporary && bounces => Effect::Bounce(status),
                Some((for_now, _)) => Effect::Next(for_now),
                None if temporary || status.0 == 4 => Effect::Next(status),
                None => Effect::Next(status.with_class(4)),
            }
        }
        // "In this case", says the RFC: another status than 5.5.3 tells of another trouble, such as a mailbox that is full.
        Phase::Rcpt if reply.code == 552 && session.rcpt_552_is_temporary && matches!(reply.enhanced, None | Some(Enhanced(_, 5, 3))) => {
            if session.rcpt_4xx_tries_next {
                Effect::Next(status.with_class(4))
            } else {
                Effect::Defer(status.with_class(4))
            }
        }
        Phase::Rcpt if temporary && !session.rcpt_4xx_tries_next => Effect::Defer(status),
        _ if temporary && !session.tempfail_tries_next => Effect::Defer(status),
        _ if temporary => Effect::Next(status),
        _ => Effect::Bounce(status),
    }
}

/// What Sendmail takes a reply without a status for (usersmtp.c `smtptodsn`, `smtprcptstat`, `smtpmailfrom`).
fn status_by_code(phase: Phase, code: u16) -> Enhanced {
    match (phase, code) {
        (Phase::Rcpt, 550) => Enhanced(5, 1, 1),
        (Phase::Rcpt | Phase::Mail, 553) => Enhanced(5, 1, 3),
        (Phase::Mail, 501) => Enhanced(5, 5, 2),
        (Phase::Mail, 552) => Enhanced(5, 3, 4),
        (Phase::Mail, 500..) => Enhanced(5, 0, 0),
        (_, 450) => Enhanced(4, 2, 0),
        (_, 451) => Enhanced(4, 3, 0),
        (_, 452) => Enhanced(4, 3, 1),
        (_, 500) => Enhanced(5, 5, 2),
        (_, 501 | 504) => Enhanced(5, 5, 4),
        (_, 502 | 503) => Enhanced(5, 5, 1),
        (_, 550) => Enhanced(5, 2, 0),
        (_, 551) => Enhanced(5, 1, 6),
        (_, 552) => Enhanced(5, 2, 2),
        (_, 553) => Enhanced(5, 1, 0),
        (_, 500..) => Enhanced(5, 0, 0),
        _ => Enhanced(4, 0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::profile::{behaviour, default_sender};
    use super::*;
    use crate::model::settings::Profile;

    #[test]
    fn failures() {
        use Effect::{Bounce, Defer, Next};
        let e = |text: &str| Enhanced::parse(text).unwrap();
        let cases = [
            (Profile::Postfix, Phase::Banner, "554 5.3.2 no", true, Next(e("4.3.2"))),
            (Profile::Rfc, Phase::Banner, "554 5.3.2 no", true, Bounce(e("5.3.2"))),
            (Profile::Rfc, Phase::Banner, "554 5.3.2 no", false, Next(e("4.3.2"))),
            (Profile::Postfix, Phase::Banner, "450", false, Next(e("4.0.0"))),
            (Profile::Postfix, Phase::Helo, "550 5.7.1", false, Bounce(e("5.7.1"))),
            (Profile::Postfix, Phase::Helo, "450", true, Next(e("4.0.0"))),
            (Profile::Postfix, Phase::Mail, "451 4.3.0", false, Next(e("4.3.0"))),
            (Profile::Postfix, Phase::Mail, "550 5.7.1", false, Bounce(e("5.7.1"))),
            (Profile::Postfix, Phase::Rcpt, "552 5.5.3", false, Bounce(e("5.5.3"))),
            (Profile::Rfc, Phase::Rcpt, "552 5.5.3", false, Next(e("4.5.3"))),
            (Profile::Postfix, Phase::FinalDot, "554 5.7.1", true, Bounce(e("5.7.1"))),
            (Profile::ExchangeOnline, Phase::FinalDot, "452 4.3.1", true, Next(e("4.3.1"))),
            (Profile::Sendmail, Phase::Banner, "554 5.3.2 no", true, Bounce(e("5.5.0"))),
            (Profile::Sendmail, Phase::Banner, "554 5.3.2 no", false, Next(e("4.5.0"))),
            (Profile::Sendmail, Phase::Banner, "421 4.3.2 no", true, Next(e("4.5.0"))),
            (Profile::Sendmail, Phase::Helo, "550 5.7.1", true, Bounce(e("5.5.0"))),
            (Profile::Sendmail, Phase::Rcpt, "450 4.2.1", false, Next(e("4.2.1"))),
            (Profile::Sendmail, Phase::Data, "554 5.6.0", true, Bounce(e("5.0.0"))),
            (Profile::Sendmail, Phase::Data, "451 4.3.0", true, Next(e("4.0.0"))),
            (Profile::Sendmail, Phase::Mail, "421 4.3.2", false, Next(e("4.0.0"))),
            (Profile::Sendmail, Phase::Rcpt, "550 no", true, Bounce(e("5.1.1"))),
            (Profile::Sendmail, Phase::Rcpt, "552 no", true, Bounce(e("5.2.2"))),
            (Profile::Sendmail, Phase::Rcpt, "450 no", true, Next(e("4.2.0"))),
            (Profile::Sendmail, Phase::Mail, "553 no", true, Bounce(e("5.1.3"))),
            (Profile::Sendmail, Phase::Mail, "550 no", true, Bounce(e("5.0.0"))),
            (Profile::Sendmail, Phase::Mail, "452 no", true, Next(e("4.3.1"))),
            (Profile::Sendmail, Phase::FinalDot, "550 no", true, Bounce(e("5.2.0"))),
            (Profile::Sendmail, Phase::FinalDot, "451 no", true, Next(e("4.3.0"))),
            (Profile::Sendmail, Phase::Mail, "451 4.3.0", false, Next(e("4.3.0"))),
            (Profile::Sendmail, Phase::FinalDot, "421 4.3.2", false, Next(e("4.3.2"))),
            (Profile::KumoMta, Phase::Mail, "503 5.5.1", false, Defer(e("4.5.1"))),
            (Profile::KumoMta, Phase::FinalDot, "503 5.5.1", true, Defer(e("4.5.1"))),
            (Profile::KumoMta, Phase::Rcpt, "552", false, Defer(e("4.0.0"))),
            (Profile::KumoMta, Phase::Rcpt, "552 5.2.2", false, Bounce(e("5.2.2"))),
            (Profile::OpenSmtpd, Phase::Banner, "554 5.3.2 no", true, Next(e("4.3.2"))),
            (Profile::OpenSmtpd, Phase::Helo, "550 5.7.1", true, Next(e("4.7.1"))),
            (Profile::OpenSmtpd, Phase::Mail, "451 4.3.0", false, Defer(e("4.3.0"))),
            (Profile::OpenSmtpd, Phase::Rcpt, "450 4.2.1", false, Defer(e("4.2.1"))),
            (Profile::OpenSmtpd, Phase::Data, "554 5.6.0", false, Bounce(e("5.6.0"))),
            (Profile::Qmail, Phase::Banner, "421", false, Defer(e("4.0.0"))),
            (Profile::Qmail, Phase::Banner, "554", false, Defer(e("4.0.0"))),
            (Profile::Qmail, Phase::Helo, "550", false, Defer(e("4.0.0"))),
            (Profile::Qmail, Phase::Rcpt, "450", false, Defer(e("4.0.0"))),
            (Profile::Qmail, Phase::Mail, "550 5.7.1", false, Bounce(e("5.7.1"))),
            (Profile::KumoMta, Phase::Banner, "554 5.3.2 no", true, Next(e("4.3.2"))),
            (Profile::KumoMta, Phase::Mail, "451 4.3.0", false, Defer(e("4.3.0"))),
            (Profile::KumoMta, Phase::Rcpt, "550 5.1.1", false, Bounce(e("5.1.1"))),
            // A status of another class than the code: the code decides, and the status is shown as it was told.
            (Profile::ExchangeOnline, Phase::Mail, "451 5.7.3", false, Next(e("5.7.3"))),
            (Profile::ExchangeServer, Phase::Rcpt, "451 5.7.3", true, Next(e("5.7.3"))),
            (Profile::Rfc, Phase::Mail, "451 5.7.3", true, Next(e("5.7.3"))),
            (Profile::Rfc, Phase::Banner, "421 5.7.3", true, Next(e("5.7.3"))),
            (Profile::OpenSmtpd, Phase::Mail, "451 5.7.3", true, Defer(e("5.7.3"))),
            (Profile::Postfix, Phase::Mail, "451 5.7.3", true, Next(e("4.0.0"))),
            (Profile::Postfix, Phase::Mail, "550 4.7.1", true, Bounce(e("5.0.0"))),
        ];
        for (profile, phase, reply, last, expected) in cases {
            let parsed = Reply::parse(reply).unwrap_or_else(|_| {
                let (code, status) = reply.split_once(' ').expect("a code and a status");
                Reply::new(code.parse().expect("a code"), Enhanced::parse(status), "")
            });
            let effect = judge(behaviour(profile), &default_sender(profile), phase, Event::Reply(&parsed), last);
            assert_eq!(effect, expected, "{profile:?} {phase:?} {reply} last={last}");
        }
        let silent = |profile, event| judge(behaviour(profile), &default_sender(profile), Phase::Connect, event, true);
        assert_eq!(silent(Profile::Postfix, Event::Refused), Next(e("4.4.1")));
        assert_eq!(silent(Profile::ExchangeOnline, Event::Refused), Next(e("4.4.316")));
        assert_eq!(silent(Profile::ExchangeOnline, Event::ConnectTimeout), Next(e("4.4.315")));
        assert_eq!(silent(Profile::Postfix, Event::TooBig), Bounce(e("5.3.4")));
        // smtp_skip_5xx_greeting = no: the first such host has the last word.
        let final_greeting = crate::model::settings::Sender { skip_5xx_greeting: false, ..default_sender(Profile::Postfix) };
        let refused = Reply::parse("554 5.3.2 no").unwrap();
        let greeted = |last| judge(behaviour(Profile::Postfix), &final_greeting, Phase::Banner, Event::Reply(&refused), last);
        assert_eq!([greeted(false), greeted(true)], [Bounce(e("5.3.2")); 2]);
        // A line that breaks in the transaction, and before it.
        let broken = |profile, phase| judge(behaviour(profile), &default_sender(profile), phase, Event::Lost, false);
        let lines = [
            (Profile::Sendmail, Phase::FinalDot, Next(e("4.4.2"))),
            (Profile::OpenSmtpd, Phase::Ehlo, Next(e("4.4.2"))),
            (Profile::OpenSmtpd, Phase::FinalDot, Defer(e("4.4.2"))),
            (Profile::Qmail, Phase::Banner, Defer(e("4.4.2"))),
            (Profile::KumoMta, Phase::Data, Defer(e("4.4.2"))),
        ];
        for (profile, phase, expected) in lines {
            assert_eq!(broken(profile, phase), expected, "{profile:?} {phase:?}");
        }
        // A server that greets with the sender's own name.
        let own = |profile, best, last| judge(behaviour(profile), &default_sender(profile), Phase::Ehlo, Event::OwnName { best }, last);
        assert_eq!(own(Profile::Postfix, true, false), Bounce(e("5.4.6")));
        assert_eq!(own(Profile::Sendmail, true, false), Next(e("4.3.5")));
        assert_eq!(own(Profile::Sendmail, false, true), Bounce(e("5.3.5")));
    }
}
