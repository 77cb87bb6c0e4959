// Package function counts the words of what it is sent.
package function

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

func Handle(res http.ResponseWriter, req *http.Request) {
	text, err := io.ReadAll(req.Body)
	if err != nil {
		http.Error(res, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Printf("%d bytes\n", len(text))
	res.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(res, "{\"words\": %d}\n", len(strings.Fields(string(text))))
}
