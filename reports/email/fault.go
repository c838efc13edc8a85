package email

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"

	"ownmap/pipeline/state"
)

// longestReply is how much of what a server says gets into an error, in bytes.
const longestReply = 300

// fault makes of what went wrong in a step what the sender is to do about it. parent is
// the sender's context, ctx the one with the bound of a delivery.
func (c *Channel) fault(parent, ctx context.Context, at step, err error) *state.SendError {
	var reply *textproto.Error
	var wait net.Error
	said := errors.As(err, &reply)
	out := &state.SendError{}
	switch {
	case errors.Is(parent.Err(), context.Canceled): // nobody's fault
		out.Err = fmt.Errorf("mail server %s: %s: %w", c.Address(), at, context.Canceled)
		return out
	case !said && (ctx.Err() != nil || errors.As(err, &wait) && wait.Timeout()):
		out.Unreachable, err = true, errors.New("no answer in time")
	case at != stepRecipient && at != stepData && at != stepContent:
		out.Unreachable = true
	case said && reply.Code/100 == 5:
		out.Unreachable = aboutLogin(reply.Code)
		out.Permanent = !out.Unreachable
	case said: // it passes
	default: // the connection broke. Where the message itself may have done that, others may get through
		out.Unreachable = at != stepContent
	}
	text := err.Error()
	if said {
		text = fmt.Sprintf("%d %s", reply.Code, reply.Msg)
	}
	// The cause is not wrapped: what a server repeats must not be found behind the text.
	out.Err = fmt.Errorf("mail server %s: %s: %s", c.Address(), at, c.clean(text))
	return out
}

// aboutLogin says whether a reply means that the client must log in, or otherwise (RFC
// 4954, 6): that has nothing to do with the message.
func aboutLogin(code int) bool {
	return code == 530 || code == 534 || code == 535 || code == 538
}

// clean makes what a server says fit for an error: no password, one line, bounded.
func (c *Channel) clean(text string) string {
	text = strings.Join(strings.Fields(c.hidden.Replace(text)), " ")
	text = state.Clean(text)
	if len(text) > longestReply {
		text = strings.ToValidUTF8(text[:longestReply-len("…")], "") + "…"
	}
	return text
}

// hiding takes a password out of texts, as it is and as AUTH sends it.
func hiding(user string, password state.Secret) *strings.Replacer {
	secret := password.Reveal()
	if secret == "" {
		return strings.NewReplacer()
	}
	encode := base64.StdEncoding.EncodeToString
	return strings.NewReplacer(
		encode([]byte("\x00"+user+"\x00"+secret)), password.String(), encode([]byte(secret)), password.String(), secret, password.String(),
	)
}
