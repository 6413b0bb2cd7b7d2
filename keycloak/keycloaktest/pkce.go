package keycloaktest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// checkChallenge reads the code challenge of an authorization request (RFC 7636 §4.3). It returns Keycloak's words for what is wrong, or none.
func checkChallenge(c *client, form url.Values) (challenge, method, wrong string) {
	challenge, method = form.Get("code_challenge"), form.Get("code_challenge_method")
	switch {
	case c.pkce != "" && method == "":
		return "", "", "Missing parameter: code_challenge_method"
	case c.pkce != "" && method != c.pkce:
		return "", "", "Invalid parameter: code challenge method is not matching the configured one"
	case challenge == "" && method == "":
		return "", "", ""
	case method != "" && method != "S256" && method != "plain":
		return "", "", "Invalid parameter: code_challenge_method"
	case challenge == "":
		return "", "", "Missing parameter: code_challenge"
	case !isVerifier(challenge):
		return "", "", "Invalid parameter: code_challenge"
	}
	return challenge, method, ""
}

// checkVerifier compares the code verifier of a token request with the challenge of the authorization request (RFC 7636 §4.6).
func checkVerifier(challenge, method string, form url.Values) *oauthError {
	refuse := func(description string) *oauthError {
		return &oauthError{http.StatusBadRequest, "invalid_grant", description}
	}
	if challenge == "" {
		if form.Has("code_verifier") {
			return refuse("PKCE code verifier specified but challenge not present in authorization")
		}
		return nil
	}
	if !form.Has("code_verifier") {
		return refuse("PKCE code verifier not specified")
	}
	verifier := form.Get("code_verifier")
	if !isVerifier(verifier) {
		return refuse("PKCE verification failed: Invalid code verifier")
	}
	if method == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		verifier = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if !sameSecret(verifier, challenge) {
		return refuse("PKCE verification failed: Code mismatch")
	}
	return nil
}

// isVerifier is the syntax of code verifiers (RFC 7636 §4.1). Keycloak asks it of challenges too.
func isVerifier(text string) bool {
	return len(text) >= 43 && len(text) <= 128 && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~", r)
	})
}
