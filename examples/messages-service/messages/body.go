package messages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	maxBody    = 64 << 10 // bytes
	maxContent = 2000     // characters
)

// refusal is what is wrong with a request, in words that say how to mend it.
type refusal struct {
	status int
	detail string
}

func (f *refusal) write(w http.ResponseWriter) {
	if f.status == http.StatusUnsupportedMediaType {
		w.Header().Set("Accept", "application/json, application/*+json") // RFC 9110 §15.5.16
	}
	writeProblem(w, f.status, f.detail)
}

func badRequest(format string, args ...any) *refusal {
	return &refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// readContent reads the one member of the body that counts, content.
func readContent(w http.ResponseWriter, r *http.Request) (string, *refusal) {
	if !isJSON(r.Header) {
		return "", &refusal{http.StatusUnsupportedMediaType, "the body must be JSON in UTF-8: send Content-Type: application/json"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return "", &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes", maxBody)}
	case err != nil:
		return "", badRequest("the body can't be read to its end")
	}
	content, refused := contentOf(body)
	switch {
	case refused != nil:
		return "", refused
	case strings.TrimSpace(content) == "":
		return "", badRequest("content is empty: write some text into it")
	case utf8.RuneCountInString(content) > maxContent:
		return "", badRequest("content has more than %d characters: shorten it", maxContent)
	}
	return content, nil
}

// isJSON reports whether the body is said to be JSON (RFC 8259, RFC 6839 §3.1) in UTF-8 without compression.
func isJSON(h http.Header) bool {
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return false
	}
	media, parameters, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || len(h["Content-Type"]) != 1 {
		return false
	}
	if charset, ok := parameters["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return false
	}
	return media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}

// contentOf takes content out of a JSON object. encoding/json alone would take "Content" for it, the last of two, any bytes for UTF-8, and U+FFFD for
// half a surrogate pair: then what is stored is not what was sent. Other members are ignored.
func contentOf(body []byte) (string, *refusal) {
	const want = `send an object such as {"content": "Hello"}`
	var whole json.RawMessage
	switch {
	case !utf8.Valid(body):
		return "", badRequest("the body is not valid UTF-8: encode it as UTF-8")
	case len(bytes.TrimSpace(body)) == 0:
		return "", badRequest("the body is empty: " + want)
	}
	if err := json.Unmarshal(body, &whole); err != nil {
		return "", badRequest("the body is not one JSON value: %v", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	if first, err := decoder.Token(); err != nil || first != json.Delim('{') {
		return "", badRequest("the body is not a JSON object: " + want)
	}
	var content json.RawMessage
	for decoder.More() {
		name, err := decoder.Token()
		var value json.RawMessage
		if err == nil {
			err = decoder.Decode(&value)
		}
		switch {
		case err != nil:
			return "", badRequest("the body is not a JSON object: " + want)
		case name == "content" && content != nil:
			return "", badRequest("content stands twice in the body: send it once")
		case name == "content":
			content = value
		}
	}
	switch {
	case content == nil:
		return "", badRequest("content is missing: " + want)
	case content[0] != '"':
		return "", badRequest("content is not a string: " + want)
	}
	if hasLoneSurrogate(content) {
		return "", badRequest("content is not valid Unicode: half of a surrogate pair stands alone in it")
	}
	var text string
	if err := json.Unmarshal(content, &text); err != nil {
		return "", badRequest("content is not a string: " + want)
	}
	return text, nil
}

// escape is one of a JSON string, with a surrogate pair as a whole.
var escape = regexp.MustCompile(`\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u[dD][89a-fA-F]..|\\.`)

func hasLoneSurrogate(raw []byte) bool {
	for _, found := range escape.FindAll(raw, -1) {
		if len(found) == len(`\ud800`) {
			return true
		}
	}
	return false
}
