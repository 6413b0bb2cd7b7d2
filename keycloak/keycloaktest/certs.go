package keycloaktest

import (
	"encoding/json"
	"net/http"
)

// certs is the key set (RFC 7517 §5). The encryption key stands first, as in many Keycloaks: a reader that takes the first RSA key fails here already.
func (s *Server) certs(w http.ResponseWriter, r *http.Request) {
	if !allowed(w, r, http.MethodGet, http.MethodHead) {
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	writeJSON(w, http.StatusOK, map[string][]json.RawMessage{"keys": s.keys.public()})
}
