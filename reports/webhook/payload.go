package webhook

import (
	"encoding/json"

	"ownmap/pipeline/state"
)

// Schema is the version of the payload. It is raised when a key goes or changes its
// meaning; new keys may come at any time.
const Schema = 1

// Payload is the body of a call. Its words are those of `ownmap show --json`: snake_case
// keys, times in RFC 3339 and UTC, null for nothing, lists that are never null. Texts of
// hosts and people are at most 512 bytes long, and have escapes for what cannot be seen;
// whoever shows them has to escape them for that place. It is at most 256 KiB long: the
// lists are cut, the most severe and the oldest stay, `totals` are always right, and
// `truncated` says that something is missing. The same message gives the same bytes at
// each try.
//
//	{
//	  "type": "ownmap.changes",
//	  "timestamp": "2026-10-03T02:04:00Z",
//	  "data": {
//	    "schema": 1,
//	    "id": "run-3.ops.1",
//	    "kind": "changes",
//	    "subject": "1 change, 1 port unapproved, 1 of 1 host answered",
//	    "organisation": "Example Ltd",
//	    "network": "office",
//	    "group": "tag dmz",
//	    "title": null,
//	    "lines": [],
//	    "notes": [],
//	    "links": {"run": "https://ownmap.example.org/run/3", "review": null},
//	    "run": {"id": 3, "state": "done", "started_at": "2026-10-03T02:00:00Z", "finished_at": null, "baseline": false, "partial": false, "alerts": [], "notes": []},
//	    "verdict": "1 change, 1 port unapproved, 1 of 1 host answered",
//	    "mood": "changed",
//	    "coverage": {"hosts": 1, "answered": 1, "silent": 0, "not_scanned": 0},
//	    "severities": {"critical": 0, "high": 1, "medium": 0, "low": 0, "info": 0},
//	    "totals": {"changes": 1, "findings": 0, "voided": 0, "open": 1, "unapproved": 1, "lines": 0, "notes": 0},
//	    "truncated": false,
//	    "findings": [],
//	    "changes": [{"kind": "port-opened", "severity": "high", "host": "web-1", "address": "192.0.2.11", "protocol": "tcp", "port": 8080, "was": null, "now": {"name": null, "state": "open", "service": "http", "product": "nginx", "version": "1.22.1", "process": null, "bind": null}}],
//	    "voided": [],
//	    "unapproved": [{"host": "web-1", "address": "192.0.2.11", "protocol": "tcp", "port": 8080, "state": "open", "service": "http", "product": "nginx", "version": "1.22.1", "process": null, "owner": "web-team@example.org", "first_seen": "2026-10-03T02:00:00Z", "last_seen": "2026-10-03T02:00:00Z", "stale_since": null, "approve": null}]
//	  }
//	}
//
// `approve` of an element of `unapproved` is a link that opens a page on which whoever has
// the link can approve the port: it is for no log.
// `type` is "ownmap." and the kind: baseline, changes, reminder, trouble, well, test.
// `severities` count the changes. Without a run behind the message, `run`, `verdict`,
// `mood` and `coverage` are null, and `title` and `lines` say all. An element of
// `findings` has kind, severity, host, address, protocol, port, detail, since, new; one of
// `voided` has address, protocol, port, service, process, by, via, reason, granted_at,
// until, ended_at, ended_by, end_reason.
type Payload struct {
	Type      string  `json:"type"`
	Timestamp *string `json:"timestamp"` // when it was decided that there is something to say
	Data      Data    `json:"data"`
}

// Data is what a payload says; see Payload.
type Data struct {
	Schema       int               `json:"schema"`
	ID           string            `json:"id"` // the same at each try
	Kind         string            `json:"kind"`
	Subject      string            `json:"subject"`
	Organisation *string           `json:"organisation"`
	Network      *string           `json:"network"`
	Group        *string           `json:"group"`
	Title        *string           `json:"title"`
	Lines        []json.RawMessage `json:"lines"`
	Notes        []json.RawMessage `json:"notes"` // about the delivery itself
	Links        links             `json:"links"`
	Run          *run              `json:"run"`
	Verdict      *string           `json:"verdict"`
	Mood         *string           `json:"mood"`
	Coverage     *state.Totals     `json:"coverage"`
	Severities   severities        `json:"severities"`
	Totals       totals            `json:"totals"`
	Truncated    bool              `json:"truncated"`
	Findings     []json.RawMessage `json:"findings"`
	Changes      []json.RawMessage `json:"changes"`
	Voided       []json.RawMessage `json:"voided"`
	Unapproved   []json.RawMessage `json:"unapproved"`
}

type links struct {
	Run    *string `json:"run"`
	Review *string `json:"review"`
}

type run struct {
	ID         int64             `json:"id"`
	State      string            `json:"state"`
	StartedAt  *string           `json:"started_at"`
	FinishedAt *string           `json:"finished_at"`
	Baseline   bool              `json:"baseline"`
	Partial    bool              `json:"partial"`
	Alerts     []json.RawMessage `json:"alerts"`
	Notes      []json.RawMessage `json:"notes"`
}

type severities struct {
	Critical int `json:"critical"`
	High     int `json:"high"`
	Medium   int `json:"medium"`
	Low      int `json:"low"`
	Info     int `json:"info"`
}

type totals struct {
	Changes    int `json:"changes"`
	Findings   int `json:"findings"`
	Voided     int `json:"voided"`
	Open       int `json:"open"`
	Unapproved int `json:"unapproved"`
	Lines      int `json:"lines"`
	Notes      int `json:"notes"`
}
