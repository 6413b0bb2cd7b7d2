package keycloaktest

import "net/http"

// metadata is the discovery document (OpenID Connect Discovery §3, RFC 8414 §2). Members and values are Keycloak's, less what is not served here.
type metadata struct {
	Issuer                           string   `json:"issuer"`
	TokenEndpoint                    string   `json:"token_endpoint"`
	JWKSURI                          string   `json:"jwks_uri"`
	GrantTypesSupported              []string `json:"grant_types_supported"`
	ResponseTypesSupported           []string `json:"response_types_supported"`
	SubjectTypesSupported            []string `json:"subject_types_supported"`
	IDTokenSigningAlgValuesSupported []string `json:"id_token_signing_alg_values_supported"`
	TokenEndpointAuthMethods         []string `json:"token_endpoint_auth_methods_supported"`
	ClaimsSupported                  []string `json:"claims_supported"`
	ClaimTypesSupported              []string `json:"claim_types_supported"`
	ScopesSupported                  []string `json:"scopes_supported"`
}

// discovery answers at all three places where Keycloak has the document. Keycloak gives it even for a disabled realm.
func (s *Server) discovery(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		writeStatus(w, http.StatusNotFound) // not 405: Keycloak looks for a document, not for a method
		return
	}
	issuer := s.Issuer()
	w.Header().Set("Cache-Control", "no-cache, must-revalidate, no-transform, no-store")
	writeJSON(w, http.StatusOK, metadata{
		Issuer:                           issuer,
		TokenEndpoint:                    issuer + "/protocol/openid-connect/token",
		JWKSURI:                          issuer + "/protocol/openid-connect/certs",
		GrantTypesSupported:              []string{"client_credentials"},
		ResponseTypesSupported:           []string{}, // RFC 8414 requires the member
		SubjectTypesSupported:            []string{"public"},
		IDTokenSigningAlgValuesSupported: []string{"RS256"},
		TokenEndpointAuthMethods:         []string{"client_secret_basic", "client_secret_post"},
		ClaimsSupported: []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "name", "given_name", "family_name", "preferred_username", "email", "acr",
			"azp"},
		ClaimTypesSupported: []string{"normal"},
		ScopesSupported:     append([]string{"openid"}, s.realm.scopeNames...),
	})
}
