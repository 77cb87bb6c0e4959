package function

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func ask(req *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	New().Handle(answer, req)
	return answer
}

func TestGreetsByName(t *testing.T) {
	answer := ask(httptest.NewRequest(http.MethodGet, "/?name=Ada", nil))
	if answer.Code != http.StatusOK || answer.Body.String() != "Hello, Ada!\n" {
		t.Fatalf("got %d %q", answer.Code, answer.Body.String())
	}
}

func TestEchoesWhatIsSent(t *testing.T) {
	answer := ask(httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"a": 1}`)))
	if answer.Body.String() != `{"a": 1}` {
		t.Fatalf("got %q", answer.Body.String())
	}
}
