package keycloaktest

import (
	"net/http"
	"slices"
)

// metadata is the discovery document (OpenID Connect Discovery §3, RFC 8414 §2). Members and values are Keycloak's, less what is not served here.
type metadata struct {
	Issuer                           string   `json:"issuer"`
	AuthorizationEndpoint            string   `json:"authorization_endpoint"`
	TokenEndpoint                    string   `json:"token_endpoint"`
	UserinfoEndpoint                 string   `json:"userinfo_endpoint"`
	EndSessionEndpoint               string   `json:"end_session_endpoint"`
	JWKSURI                          string   `json:"jwks_uri"`
	GrantTypesSupported              []string `json:"grant_types_supported"`
	ACRValuesSupported               []string `json:"acr_values_supported"`
	ResponseTypesSupported           []string `json:"response_types_supported"`
	SubjectTypesSupported            []string `json:"subject_types_supported"`
	PromptValuesSupported            []string `json:"prompt_values_supported"`
	IDTokenSigningAlgValuesSupported []string `json:"id_token_signing_alg_values_supported"`
	ResponseModesSupported           []string `json:"response_modes_supported"`
	TokenEndpointAuthMethods         []string `json:"token_endpoint_auth_methods_supported"`
	ClaimsSupported                  []string `json:"claims_supported"`
	ClaimTypesSupported              []string `json:"claim_types_supported"`
	ScopesSupported                  []string `json:"scopes_supported"`
	RequestParameterSupported        bool     `json:"request_parameter_supported"`
	RequestURIParameterSupported     bool     `json:"request_uri_parameter_supported"` // true where the member is absent
	CodeChallengeMethodsSupported    []string `json:"code_challenge_methods_supported"`
	IssParameterSupported            bool     `json:"authorization_response_iss_parameter_supported"`
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
		AuthorizationEndpoint:            issuer + "/protocol/openid-connect/auth",
		TokenEndpoint:                    issuer + "/protocol/openid-connect/token",
		UserinfoEndpoint:                 issuer + "/protocol/openid-connect/userinfo",
		EndSessionEndpoint:               issuer + "/protocol/openid-connect/logout",
		JWKSURI:                          issuer + "/protocol/openid-connect/certs",
		GrantTypesSupported:              []string{"authorization_code", "client_credentials", "refresh_token"},
		ACRValuesSupported:               []string{"0", "1"},
		ResponseTypesSupported:           []string{"code"},
		SubjectTypesSupported:            []string{"public"},
		PromptValuesSupported:            []string{"none", "login"},
		IDTokenSigningAlgValuesSupported: s.realm.idAlgorithms(),
		ResponseModesSupported:           []string{"query", "fragment"},
		TokenEndpointAuthMethods:         []string{"client_secret_basic", "client_secret_post"},
		ClaimsSupported: []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "name", "given_name", "family_name", "preferred_username", "email", "acr",
			"azp", "nonce"},
		ClaimTypesSupported:           []string{"normal"},
		ScopesSupported:               append([]string{"openid"}, s.realm.scopeNames...),
		CodeChallengeMethodsSupported: []string{"plain", "S256"},
		IssParameterSupported:         true,
	})
}

// idAlgorithms are those that sign ID tokens: the realm's first, then what clients want instead.
func (r *realm) idAlgorithms() []string {
	algorithms := []string{r.algorithm}
	for _, id := range r.clientIDs {
		if own := r.clients[id].idAlgorithm; own != "" && !slices.Contains(algorithms, own) {
			algorithms = append(algorithms, own)
		}
	}
	return algorithms
}
