package notify

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/telegram"
)

// telegram sends a text by the Bot API (https://core.telegram.org/bots/api#sendmessage) to
// all chats of the URL. shoutrrr reads the URL and does not send: where nobody answers, its
// Telegram reports success. The text is sent without a parse mode, whatever the URL says.
func (c *Channel) telegram(ctx context.Context, text string) error {
	to, err := service(c.options.URL)
	if err != nil {
		return c.failed(ctx, nil, err)
	}
	service, ok := to.(*telegram.Service)
	if !ok {
		return c.failed(ctx, nil, errors.New("shoutrrr's Telegram is another"))
	}
	config := service.GetConfig()
	for _, chat := range config.Chats {
		w := newWatch(ctx, c.options.Client)
		id, thread, _ := strings.Cut(chat, ":")
		message := map[string]any{"chat_id": id, "text": text, "disable_notification": !config.Notification, "link_preview_options": map[string]bool{"is_disabled": true}}
		if n, err := strconv.Atoi(thread); err == nil {
			message["message_thread_id"] = n
		}
		body, err := json.Marshal(message)
		if err != nil {
			return c.failed(ctx, w, err)
		}
		address := strings.TrimSuffix(cmp.Or(c.options.TelegramURL, "https://api.telegram.org"), "/") + "/bot" + config.Token + "/sendMessage"
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
		if err != nil {
			return c.failed(ctx, w, err)
		}
		request.Header.Set("Content-Type", "application/json")
		answer, err := w.client().Do(request)
		if err != nil {
			return c.failed(ctx, w, err)
		}
		var told struct{ OK bool }
		err = json.NewDecoder(answer.Body).Decode(&told)
		_ = answer.Body.Close()
		if err != nil || !told.OK || answer.StatusCode != http.StatusOK {
			return c.failed(ctx, w, errors.New("the answer is not Telegram's"))
		}
	}
	return nil
}

// told makes of an error that Telegram describes in JSON what a person reads, and how long
// it asks to wait, in seconds.
func described(reason string) (text string, seconds int) {
	var answer struct {
		Description, Message, Error, ErrorDescription string
		Parameters                                    struct {
			RetryAfter int `json:"retry_after"`
		}
	}
	if json.Unmarshal([]byte(reason), &answer) != nil {
		return reason, 0
	}
	return cmp.Or(answer.Description, answer.ErrorDescription, answer.Message, answer.Error, reason), answer.Parameters.RetryAfter
}
