// Package function answers HTTP requests.
package function

import (
	"fmt"
	"io"
	"net/http"
)

// Function handles the requests of one instance. Besides Handle it may have
// Start(context.Context, map[string]string) error, Stop(context.Context) error, and Alive and
// Ready(context.Context) (bool, error).
type Function struct{}

// New is called once per instance.
func New() *Function {
	return &Function{}
}

// Handle answers one request.
func (f *Function) Handle(res http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodPost {
		if sent := req.Header.Get("Content-Type"); sent != "" {
			res.Header().Set("Content-Type", sent)
		}
		if _, err := io.Copy(res, req.Body); err != nil {
			fmt.Println("the client has left:", err)
		}
		return
	}
	name := req.URL.Query().Get("name")
	if name == "" {
		name = "World"
	}
	res.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(res, "Hello, %s!\n", name)
}
