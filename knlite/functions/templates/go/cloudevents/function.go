// Package function takes events and answers with events.
package function

import (
	"fmt"

	"github.com/cloudevents/sdk-go/v2/event"
)

// Function handles the events of one instance. Besides Handle it may have
// Start(context.Context, map[string]string) error, Stop(context.Context) error, and Alive and
// Ready(context.Context) (bool, error).
type Function struct{}

// New is called once per instance.
func New() *Function {
	return &Function{}
}

// Handle takes an event; what it returns goes on to the broker, or back to who asked. It may take a
// context.Context before the event, and may return only one of the two, or nothing.
func (f *Function) Handle(e event.Event) (*event.Event, error) {
	fmt.Println("event", e.ID(), "of type", e.Type())
	answer := event.New()
	answer.SetID("answer-to-" + e.ID())
	answer.SetType("function.response")
	answer.SetSource("/function")
	var received any
	if err := e.DataAs(&received); err != nil {
		received = string(e.Data()) // It is no JSON.
	}
	if err := answer.SetData(event.ApplicationJSON, map[string]any{"received": received}); err != nil {
		return nil, err
	}
	return &answer, nil
}
