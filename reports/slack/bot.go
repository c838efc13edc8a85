package slack

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	slackgo "github.com/slack-go/slack"

	"ownmap/pipeline/state"
)

// viaBot posts a message to the bot's channel, in the thread of its group
// (https://docs.slack.dev/reference/methods/chat.postMessage). What goes wrong once Slack
// has it is logged: the message must not be sent again for that.
func (c *Channel) viaBot(ctx context.Context, m state.Message) error {
	const what = "slack chat.postMessage"
	key, thread := c.key(m), ""
	if c.threaded(m) {
		ts, err := c.options.Threads.Get(ctx, key)
		if err != nil {
			return &state.SendError{Err: c.redacted("slack: read the thread: " + err.Error())}
		}
		if c.young(ts, m.At) {
			thread = ts
		}
	}
	message := Render(c.options.Names, m)
	posted, err := c.post(ctx, m, message, thread)
	if told := (slackgo.SlackErrorResponse{}); thread != "" && errors.As(err, &told) && threadGone(told.Err) {
		posted, err = c.post(ctx, m, message, "")
	}
	switch {
	case err != nil:
		return c.failed(ctx, what, err)
	case posted.ts == "":
		return c.refused(what+": an answer that is not Slack's", http.StatusOK, "", 0)
	}
	// Slack posts a reply to a message that was deleted outside of any thread, and says so.
	if c.threaded(m) && posted.thread == "" {
		if err := c.options.Threads.Set(ctx, key, posted.ts); err != nil {
			c.note(ctx, m, "the thread could not be kept; the next message begins another", err)
		}
	}
	c.upload(ctx, m, cmp.Or(posted.thread, posted.ts))
	return nil
}

// key names the thread of a message. No two channels have one name.
func (c *Channel) key(m state.Message) string {
	return state.OneLine(c.options.Name, 100) + "/" + state.OneLine(m.Group, 150)
}

// threaded says whether a message stands in a thread. What is not about a run is not part
// of a story.
func (c *Channel) threaded(m state.Message) bool {
	return c.options.Threads != nil && m.Report != nil && m.Kind != state.MessageTrouble && m.Kind != state.MessageTest
}

// young says whether a thread is to be gone on with. A time stamp of Slack's is the
// seconds since 1970 at which the message was posted, with a fraction.
func (c *Channel) young(ts string, at time.Time) bool {
	seconds, err := strconv.ParseFloat(ts, 64)
	if err != nil || math.IsNaN(seconds) || math.Abs(seconds) > math.MaxUint32 {
		return false
	}
	return at.Sub(time.Unix(int64(seconds), 0)) < c.options.ThreadAge
}

// posted is a message as Slack has it.
type posted struct {
	ts     string // time stamp of the message
	thread string // of the thread's first message; empty: it stands alone
}

// post posts a message. News of a thread are shown in the channel,
// too: nobody looks into a thread of the day before yesterday.
func (c *Channel) post(ctx context.Context, m state.Message, message Message, thread string) (posted, error) {
	metadata := map[string]any{"message": m.ID, "kind": string(m.Kind)}
	if m.Report != nil {
		metadata["run"] = m.Report.Run.ID
	}
	options := []slackgo.MsgOption{
		slackgo.MsgOptionText(message.Text, false), slackgo.MsgOptionBlocks(message.Blocks...), slackgo.MsgOptionMetadata(slackgo.SlackMetadata{EventType: "ownmap_message", EventPayload: metadata}),
		slackgo.MsgOptionDisableLinkUnfurl(), slackgo.MsgOptionDisableMediaUnfurl(), slackgo.MsgOptionDisableMarkdown(),
	}
	if thread != "" {
		options = append(options, slackgo.MsgOptionTS(thread))
		if m.Kind != state.MessageReminder && m.Kind != state.MessageWell {
			options = append(options, slackgo.MsgOptionBroadcast())
		}
	}
	_, ts, stored, err := c.api.PostMessageWithResponseContext(ctx, c.options.Channel, options...)
	if thread != "" {
		thread = stored.ThreadTimestamp
	}
	return posted{ts, thread}, err
}

// upload puts the PDF of the run into the thread
// (https://docs.slack.dev/reference/methods/files.getUploadURLExternal).
func (c *Channel) upload(ctx context.Context, m state.Message, thread string) {
	if c.options.PDF == nil || m.Report == nil || m.Kind == state.MessageTest {
		return
	}
	pdf, err := c.options.PDF(ctx, *m.Report)
	if err == nil && len(pdf) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		c.note(ctx, m, "the PDF could not be made", err)
		return
	}
	run := number(m.Report.Run.ID)
	_, err = c.api.UploadFileContext(ctx, slackgo.UploadFileParameters{
		Reader: bytes.NewReader(pdf), FileSize: len(pdf), Filename: "ownmap-run-" + run + ".pdf", Title: "Run " + run, Channel: c.options.Channel, ThreadTimestamp: thread,
	})
	if err != nil {
		c.note(ctx, m, "the PDF could not be put into the thread", c.failed(ctx, "slack upload", err))
	}
}

func (c *Channel) note(ctx context.Context, m state.Message, what string, err error) {
	c.options.Log.WarnContext(ctx, "slack took the message, and something beside it failed", "channel", c.options.Name, "message", m.ID, "what", what, "error", c.redacted(err.Error()).Error())
}
