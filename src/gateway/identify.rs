//! Who calls: by the token of a call, or by what is said of a request for a token. What was seen on the way is passed on.

use std::sync::Arc;

use super::Gateway;
use super::view::View;
use crate::call::{Moment, Received, Refused, ResourceKind};
use crate::identity::{Found, Identified, Observation, Provisional};
use crate::issuance::{self, Asks};
use crate::snapshot::Snapshot;
use crate::store::{Name, Taken};
use crate::types::Reason;

impl Gateway {
    /// Finds out who calls. A body takes its time to come: it is judged on what is known then.
    pub(super) async fn identify(
        &self,
        received: Received,
        snapshot: &mut Arc<View>,
        at: &mut Moment,
    ) -> Result<Identified, Refused> {
        let asks = match &received.resource().kind {
            ResourceKind::Api | ResourceKind::External => None,
            ResourceKind::TokenEndpoint(source) => Some(Asks::ByForm(source.clone())),
            ResourceKind::TokenHook(hook) => Some(Asks::ByHook(Arc::clone(hook))),
        };
        let identified = match asks {
            None => match self.by_token(received, snapshot, *at)? {
                Found::Whole(identified) => identified,
                // Boxed: few calls have a proof, and all would carry the room for it.
                Found::Once(provisional) => Box::pin(self.first_time(provisional, *at)).await?,
            },
            Some(asks) => Box::pin(self.by_request(received, asks, snapshot, at)).await?,
        };
        self.shared.discovered.seen(identified.caller(), at.now);
        Ok(identified)
    }

    fn by_token(
        &self,
        received: Received,
        snapshot: &Snapshot,
        at: Moment,
    ) -> Result<Found, Refused> {
        let authenticator = &self.shared.authenticator;
        let (result, seen) =
            authenticator.identify(received, &snapshot.issuers, &snapshot.directory, at.now);
        self.note(&seen, result.as_ref().err().map(|refused| refused.reason));
        result
    }

    /// Goes on with a call whose proof nobody has seen.
    async fn first_time(&self, call: Provisional, at: Moment) -> Result<Identified, Refused> {
        let proof = call.proof();
        let name = Name {
            text: proof.name(),
            made_at: proof.made_at(),
            until: proof.until(),
        };
        let counts = match self.shared.names.take(name, at.now).await {
            Ok(Taken::Now) => Ok(()),
            Ok(Taken::Before) => Err(Reason::ProofReplayed),
            Ok(Taken::Unknowable) => Err(Reason::ProofRefused),
            // FAIL-CLOSED: it may have been seen.
            Err(error) => {
                tracing::warn!(%error, "nobody can tell whether a proof was seen before");
                Err(Reason::FactsUnavailable)
            }
        };
        call.settle(counts)
    }

    async fn by_request(
        &self,
        received: Received,
        asks: Asks,
        snapshot: &mut Arc<View>,
        at: &mut Moment,
    ) -> Result<Identified, Refused> {
        if let Asks::ByHook(hook) = &asks {
            let (authenticator, issuers) = (&self.shared.authenticator, &snapshot.issuers);
            let (result, seen) =
                issuance::hook::check_caller(&received, hook, authenticator, issuers, at.now);
            if let Some(seen) = seen {
                self.note(&seen, result.err());
            }
            if let Err(reason) = result {
                return Err(received.refuse(reason));
            }
        }
        let read = issuance::read(received, asks).await?;
        *snapshot = self.viewer.load();
        at.now = self.shared.clock.now();
        let (received, request) = read.parse(&snapshot.issuers, &snapshot.resources)?;
        let (result, seen) = self.shared.authenticator.identify_requester(
            received,
            request,
            &snapshot.issuers,
            &snapshot.directory,
            at.now,
        );
        for (seen, refused) in &seen {
            self.note(seen, *refused);
        }
        result
    }

    /// Counts a token that was looked at, and asks for a key that is not known.
    fn note(&self, seen: &Observation, refused: Option<Reason>) {
        self.shared.meters.identified(seen, refused);
        if let Some(issuer) = &seen.unknown_key_of {
            self.shared.keys.request(issuer);
        }
    }
}
