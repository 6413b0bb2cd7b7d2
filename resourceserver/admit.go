package resourceserver

import (
	"context"
	"net/http"
	"net/url"
)

// Admit decides about a call of a transport other than net/http as Require does about a request: it verifies the bearer token in the values of the authorization
// field, checks rules with a nil request, logs a refusal and calls OnDecision. The context that it returns carries the principal. operation is what was called,
// such as a gRPC method's full name; it stands in the log as the path does.
//
// Errors are *Error, those of rules included; Error.SetHeader is for answers with header fields. Adapters should call Require with the same rules where they are
// set up, which panics where they can't be met.
func (a *Authenticator) Admit(ctx context.Context, operation string, authorization []string, rules ...Rule) (context.Context, error) {
	r := (&http.Request{URL: &url.URL{Path: operation}, Header: http.Header{"Authorization": authorization}}).WithContext(ctx)
	id, refused := a.authenticate(r)
	if refused == nil {
		r = a.withIdentity(r, id)
		refused = checked(r.Context(), nil, id, rules)
	}
	if refused != nil {
		a.tell(r, refused)
		return nil, refused
	}
	a.decided(ctx, Decision{Allowed: true, Status: http.StatusOK, Issuer: id.issuer.name, ClientID: id.clientID})
	return r.Context(), nil
}
