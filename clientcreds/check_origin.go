package clientcreds

import (
	"errors"
	"net/http"
	"net/url"
)

// CheckOrigin reports whether the source's token may go to u, for callers that carry tokens by other means than [Source.Transport]: gRPC, WebSockets. An
// [ErrOrigin] says that it may not: u is not among Origins, or is plain http to a host that is neither loopback nor in AllowHTTP. It sends nothing and asks
// for no token.
func (s *Source) CheckOrigin(u *url.URL) error {
	if s.cache == nil {
		return s.unusable()
	}
	if u == nil {
		return errors.New("clientcreds: CheckOrigin: the URL is nil")
	}
	_, err := s.target.mayCarry(&http.Request{URL: u})
	return err
}
