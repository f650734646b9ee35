// Events in an archive (core/archive.h). Two of their fields are numbers of the process: the facts of the addresses,
// which are not written and 0 when read, and RecordRef::source, which is written as it is. Whoever reads must look the
// facts up anew and say which input a source is now.
#pragma once

#include "core/archive.h"
#include "event/event.h"

namespace orbwatch::event {

template <typename Archive>
void persist(Archive& a, RecordRef& r) {
  a(r.offset, r.line, r.length, r.source);
}

template <typename Archive>
void persist(Archive& a, Event& e) {
  a.moment(e.time);
  a(e.duration, e.source_ip, e.destination_ip, e.assigned_ip, e.observer_ip);
  a(e.source_bytes, e.destination_bytes, e.source_packets, e.destination_packets, e.session_id, e.record);
  a(e.observer, e.user, e.user_domain, e.group, e.user_agent, e.client_os, e.client_host, e.code, e.reason);
  a(e.application, e.protocol_version, e.destination_name, e.ingress, e.egress, e.fingerprint, e.server_fingerprint);
  a(e.certificate_issuer, e.certificate_subject, e.certificate_fingerprint, e.banner, e.rule, e.region, e.dataset);
  a(e.sampling, e.ingress_index, e.egress_index, e.source_port, e.destination_port, e.tcp_flags, e.protocol);
  a.enumeration(e.event_class, Class::kDevice);
  a.enumeration(e.activity, Activity::kAlert);
  a.enumeration(e.outcome, Outcome::kFailure);
  a.enumeration(e.action, Action::kDenied);
  a.enumeration(e.direction, Direction::kExternal);
  a.enumeration(e.mfa, Mfa::kYes);
  a.enumeration(e.auth_method, AuthMethod::kOther);
  a.enumeration(e.service, Service::kOther);
  a(e.logon_type);
  if constexpr (Archive::kReads) e.source_facts = e.destination_facts = 0;
}
// A new field? Then it belongs above, and the layouts of the sections with events in them must be raised: baseline,
// sessions, judge, flows.
static_assert(sizeof(Event) == 272);

}  // namespace orbwatch::event
