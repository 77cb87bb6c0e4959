package function

import (
	"testing"

	"github.com/cloudevents/sdk-go/v2/event"
)

// answerTo is the event that the function answers one with data with.
func answerTo(t *testing.T, contentType string, data any) *event.Event {
	sent := event.New()
	sent.SetID("1")
	sent.SetType("order.paid")
	sent.SetSource("/shop")
	if err := sent.SetData(contentType, data); err != nil {
		t.Fatal(err)
	}
	answer, err := New().Handle(sent)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestAnswersWithWhatItReceived(t *testing.T) {
	answer := answerTo(t, event.ApplicationJSON, map[string]int{"order": 17})
	if answer.Type() != "function.response" || string(answer.Data()) != `{"received":{"order":17}}` {
		t.Fatalf("got %s %s", answer.Type(), answer.Data())
	}
}

func TestTakesWhatIsNoJSON(t *testing.T) {
	answer := answerTo(t, "text/plain", "plain")
	if string(answer.Data()) != `{"received":"plain"}` {
		t.Fatalf("got %s", answer.Data())
	}
}
