package keycloaktest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// authorizationRequest is a request of RFC 6749 §4.1.1 that has been found good.
type authorizationRequest struct {
	client            *client
	redirectURI       string
	fragment          bool // the answer goes into the fragment: response_mode=fragment
	state             *string
	nonce             string
	granted           granted
	challenge, method string        // PKCE; empty: none
	login, silent     bool          // prompt=login, prompt=none
	maxAge            time.Duration // negative: none
	loginHint         string
}

// authorize is the authorization endpoint. A mistake that makes the redirect URI doubtful is shown to the person and never sent on (RFC 6749 §4.1.2.1); the
// client is told of the others.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	if !allowed(w, r, http.MethodGet, http.MethodHead, http.MethodPost) {
		return
	}
	form, status := requestParameters(w, r)
	if status != http.StatusOK {
		w.WriteHeader(status)
		return
	}
	request, status, wrong := s.readTarget(form)
	if wrong != "" {
		s.errorPage(w, status, wrong)
		return
	}
	w.Header().Set("Cache-Control", "no-store, must-revalidate, max-age=0")
	if code, description := s.readRequest(request, form); code != "" {
		s.redirect(w, request.failed(s.Issuer(), code, description))
		return
	}

	now := s.now()
	s.sso.mu.Lock()
	us := s.sso.ofBrowser(r, now)
	again := us != nil && (request.login || request.maxAge >= 0 && us.authTime.Add(request.maxAge).Before(now.Truncate(time.Second)))
	if us != nil && !again {
		location := s.issueCode(us, request, "0", now)
		s.sso.mu.Unlock()
		s.redirect(w, location)
		return
	}
	s.sso.mu.Unlock()
	if request.silent {
		s.redirect(w, request.failed(s.Issuer(), "login_required", ""))
		return
	}
	attempt := &loginAttempt{request: request}
	if again {
		attempt.reauthenticate = us.user
	}
	page := loginPage{Username: request.loginHint}
	if again {
		page.Notice = "Please re-authenticate to continue"
	}
	s.startLogin(w, r, attempt, page, now)
}

// requestParameters are those of the query, or of a POST the body's alone, as OpenID Connect Core §3.1.2.1 has it.
func requestParameters(w http.ResponseWriter, r *http.Request) (url.Values, int) {
	if r.Method == http.MethodPost {
		return readForm(w, r)
	}
	form, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, http.StatusBadRequest
	}
	return form, http.StatusOK
}

// readTarget finds the client and where its answer goes. What is wrong with that is in Keycloak's words for people.
func (s *Server) readTarget(form url.Values) (request *authorizationRequest, status int, wrong string) {
	c := s.realm.clients[form.Get("client_id")]
	maxAge := -1
	switch {
	case !s.realm.enabled:
		return nil, http.StatusBadRequest, "Realm not enabled"
	case len(form["client_id"]) != 1:
		return nil, http.StatusBadRequest, "Invalid Request"
	case c == nil:
		return nil, http.StatusBadRequest, "Client not found."
	case !s.enabled(c):
		return nil, http.StatusBadRequest, "Client disabled."
	case c.bearerOnly:
		return nil, http.StatusForbidden, "Bearer-only applications are not allowed to initiate browser login"
	case form.Has("request"), form.Has("request_uri"):
		return nil, http.StatusBadRequest, "Invalid Request"
	}
	if form.Has("max_age") {
		var err error
		if maxAge, err = strconv.Atoi(form.Get("max_age")); err != nil || maxAge < 0 || maxAge > 1<<31 {
			return nil, http.StatusBadRequest, "Invalid Request"
		}
	}
	if !redirectAllowed(c.redirectURIs, form.Get("redirect_uri")) {
		return nil, http.StatusBadRequest, "Invalid parameter: redirect_uri"
	}
	request = &authorizationRequest{client: c, redirectURI: form.Get("redirect_uri"), maxAge: time.Duration(maxAge) * time.Second}
	if form.Has("state") {
		state := form.Get("state")
		request.state = &state
	}
	return request, http.StatusOK, ""
}

// readRequest fills in the rest. What is wrong with that goes to the client, as an error code and a description (RFC 6749 §4.1.2.1). The order of checks is
// Keycloak's.
func (s *Server) readRequest(request *authorizationRequest, form url.Values) (code, description string) {
	c := request.client
	switch {
	case !form.Has("response_type"):
		return "invalid_request", "Missing parameter: response_type"
	case form.Get("response_type") != "code":
		return "unsupported_response_type", ""
	}
	switch form.Get("response_mode") {
	case "", "query":
	case "fragment":
		request.fragment = true
	default:
		return "invalid_request", "Invalid parameter: response_mode"
	}
	if !c.standardFlow {
		return "unauthorized_client", "Client is not allowed to initiate browser login with given response_type. Standard flow is disabled for the client."
	}
	for _, values := range form {
		if len(values) > 1 {
			return "invalid_request", "duplicated parameter"
		}
	}
	var ok bool
	if request.granted, ok = s.realm.grantScopes(c, scopeParameter(form)); !ok {
		return "invalid_scope", "Invalid scopes: " + withoutControls(form.Get("scope"))
	}
	var wrong string
	if request.challenge, request.method, wrong = checkChallenge(c, form); wrong != "" {
		return "invalid_request", wrong
	}
	prompts := strings.Fields(form.Get("prompt"))
	request.login, request.silent = slices.Contains(prompts, "login"), slices.Contains(prompts, "none")
	request.nonce, request.loginHint = form.Get("nonce"), form.Get("login_hint")
	return "", ""
}

// failed is where the browser goes with an error. It names the issuer, so that the client of several can't be led to the wrong one (RFC 9207).
func (request *authorizationRequest) failed(issuer, code, description string) string {
	pairs := []string{"error", code}
	if description != "" {
		pairs = append(pairs, "error_description", description)
	}
	if request.state != nil {
		pairs = append(pairs, "state", *request.state)
	}
	return withParameters(request.redirectURI, request.fragment, append(pairs, "iss", issuer)...)
}

// succeeded is where the browser goes with an authorization code.
func (request *authorizationRequest) succeeded(issuer, sessionID, code string) string {
	var pairs []string
	if request.state != nil {
		pairs = append(pairs, "state", *request.state)
	}
	return withParameters(request.redirectURI, request.fragment, append(pairs, "session_state", sessionID, "iss", issuer, "code", code)...)
}

// redirect sends the browser on. Only what redirectAllowed let pass, and pages of this server, come here.
func (s *Server) redirect(w http.ResponseWriter, location string) {
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusFound)
}
