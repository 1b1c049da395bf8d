//! Recipients put off after others were taken: they follow in further transactions of the same session (Exim transports/smtp.c; RFC 5321 §4.5.3.1.10).
//!
//! In the record all transactions of the session are one: the server gets one copy for all whom it took.

use super::session::{Refusals, Stop, Talk, status_of};
use super::world::World;
use crate::base::Phase;
use crate::decide::failure::{Effect, Event, judge};

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Names those that were put off again, until a round takes nobody; what is refused then stays refused.
    pub(super) fn further_rounds(&mut self, talk: &mut Talk<'_>, refusals: &mut Refusals) {
        loop {
            let put_off = |world: &Self, reply: u32| talk.rules.pass.further_rounds.has(world.tables.replies.get(reply));
            let later: Vec<_> = refusals.iter().filter(|(_, _, reply)| put_off(self, *reply)).copied().collect();
            if later.is_empty() {
                return;
            }
            let timers = talk.timers;
            if self.command(talk, Phase::Mail, timers.mail_ns, 0).is_err() {
                return;
            }
            let mut accepted = 0;
            for (count, (place, ..)) in later.iter().enumerate() {
                let answer = self.rcpt(talk, *place, count as u32, accepted);
                refusals.forget(*place);
                match answer {
                    Ok(_) => accepted += 1,
                    Err(Stop::Reply(reply)) => {
                        let effect =
                            judge(talk.rules, &talk.ours.sender, Phase::Rcpt, Event::Reply(&reply), self.is_last_session(talk.job));
                        let reply = self.noted(&reply, effect);
                        refusals.push((*place, effect, reply));
                    }
                    Err(Stop::Lost(_) | Stop::Silent(_)) => {
                        let lost = Effect::Next(talk.rules.session.lost);
                        let reply = self.tables.reply(0, status_of(lost), "lost connection at RCPT");
                        refusals.push((*place, lost, reply));
                    }
                }
            }
            if accepted == 0 || self.command(talk, Phase::FinalDot, timers.final_dot_ns, 0).is_err() {
                return;
            }
        }
    }
}
