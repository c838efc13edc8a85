package notify

import (
	"strings"

	"ownmap/pipeline/state"
)

// Limit is how long a message may be. A limit of 0 is none.
type Limit struct{ Characters, Bytes int }

// limits are the services that messages can be sent to, by the scheme of their URLs, with
// the length of a message that they show whole. Where a service documents none, it is what
// a person reads on a telephone.
func limits() map[string]Limit {
	reader := Limit{Characters: 4000}
	return map[string]Limit{
		"bark":       {Bytes: 2500},                     // a push of Apple's has 4 KB in all: developer.apple.com/documentation/usernotifications/generating-a-remote-notification
		"discord":    {Characters: 2000},                // discord.com/developers/docs/resources/webhook
		"googlechat": {Characters: 4000, Bytes: 30_000}, // 32,000 bytes: developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages
		"gotify":     reader,
		"hangouts":   {Characters: 4000, Bytes: 30_000}, // Google Chat's old name
		"ifttt":      {Characters: 1500},
		"join":       {Characters: 1500},                // it goes into a URL
		"lark":       {Bytes: 4096},                     // shoutrrr's own limit; Lark's is 20 KB
		"matrix":     {Characters: 8000, Bytes: 30_000}, // an event has 65,536 bytes in all: spec.matrix.org, client-server API, "Size limits"
		"mattermost": {Characters: 8000, Bytes: 16_000}, // 16,383 characters: docs.mattermost.com
		"notifiarr":  {Characters: 1500},                // it goes on to Discord
		"ntfy":       {Bytes: 4096},                     // what is longer becomes a file: docs.ntfy.sh/publish/#limitations
		"opsgenie":   {Characters: 8000, Bytes: 14_000}, // 15,000 characters: docs.opsgenie.com/docs/alert-api
		"pagerduty":  {Characters: 1024},                // of a summary: developer.pagerduty.com/docs/send-alert-event
		"pushbullet": reader,
		"pushover":   {Characters: 1024},                  // pushover.net/api#limits
		"rocketchat": {Characters: 5000},                  // Message_MaxAllowedSize: docs.rocket.chat
		"signal":     {Characters: 1900},                  // what is longer becomes a file
		"teams":      {Characters: 8000, Bytes: 20_000},   // 28 KB in all: learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages
		"telegram":   {Characters: 4096, Bytes: 4096},     // characters: core.telegram.org/bots/api#sendmessage
		"wecom":      {Bytes: 2048},                       // of a text: developer.work.weixin.qq.com/document/path/91770
		"zulip":      {Characters: 10_000, Bytes: 10_000}, // zulip.com/api/send-message; shoutrrr counts bytes
	}
}

// LimitOf returns how long a message to a URL may be, for who renders it.
func LimitOf(url state.Secret) Limit { return limits()[schemeOf(url)] }

// schemeOf returns which service a URL is for: the only part of it that is no secret. A
// URL of the service itself can stand behind it: "teams+https://".
func schemeOf(url state.Secret) string {
	scheme, _, found := strings.Cut(url.Reveal(), "://")
	if !found {
		return ""
	}
	scheme, _, _ = strings.Cut(strings.ToLower(scheme), "+")
	return scheme
}

// insteadOf says what to use where a scheme is refused.
func insteadOf(scheme string) string {
	switch scheme {
	case "generic":
		return "use a channel of type webhook, which signs what it sends and guards where it goes"
	case "slack":
		return "use a channel of type slack"
	case "smtp":
		return "use a channel of type email"
	case "logger":
		return "use a channel of type file or syslog; a log line is no delivery"
	}
	return ""
}
