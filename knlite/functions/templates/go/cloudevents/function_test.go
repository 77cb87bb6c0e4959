package function

import (
	"testing"

	"github.com/cloudevents/sdk-go/v2/event"
)

func TestAnswersWithWhatItReceived(t *testing.T) {
	sent := event.New()
	sent.SetID("1")
	sent.SetType("order.paid")
	sent.SetSource("/shop")
	if err := sent.SetData(event.ApplicationJSON, map[string]int{"order": 17}); err != nil {
		t.Fatal(err)
	}
	answer, err := New().Handle(sent)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Type() != "function.response" || string(answer.Data()) != `{"received":{"order":17}}` {
		t.Fatalf("got %s %s", answer.Type(), answer.Data())
	}
}
