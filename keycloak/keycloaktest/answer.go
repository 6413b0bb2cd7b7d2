package keycloaktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// oauthError is an error answer of RFC 6749 §5.2, with the statuses and words that Keycloak uses.
type oauthError struct {
	status      int
	code        string
	description string
}

func (e *oauthError) write(w http.ResponseWriter) {
	noStore(w)
	writeJSON(w, e.status, struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{e.code, e.description})
}

// noStore is asked for by RFC 6749 §5.1 for anything with a token in it; Keycloak sends it with errors too.
func noStore(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		panic(fmt.Sprintf("keycloaktest: an answer can't be encoded: %v", err)) // can't happen: answers hold only strings, numbers and lists
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(bytes.TrimSuffix(buffer.Bytes(), []byte("\n")))
}

// writeStatus is the answer of the framework below Keycloak, for what never reached Keycloak's own code.
func writeStatus(w http.ResponseWriter, status int) {
	writeJSON(w, status, map[string]string{"error": fmt.Sprintf("HTTP %d %s", status, http.StatusText(status))})
}

// allowed answers requests with other methods than these, and says whether the caller is to go on. Keycloak sends no Allow header.
func allowed(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	switch {
	case slices.Contains(methods, r.Method):
		return true
	case r.Method == http.MethodOptions:
		w.WriteHeader(http.StatusOK)
	default:
		writeStatus(w, http.StatusMethodNotAllowed)
	}
	return false
}
