package clientcreds_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"github.com/svcauth/svcauth/clientcreds"
)

// newIssuer is a token endpoint that gives one client tokens.
func newIssuer() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if id, secret, _ := r.BasicAuth(); id != "archival-service" || secret != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"invalid_client"}`)
			return
		}
		fmt.Fprintf(w, `{"access_token":"token-for-%s","token_type":"Bearer","expires_in":300}`, r.FormValue("scope"))
	}))
}

func newAPI() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"authorization":%q}`, r.Header.Get("Authorization"))
	}))
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func ExampleNew() {
	// New does no I/O: an issuer that is down shows at the first token. What it finds wrong, it names.
	_, err := clientcreds.New(clientcreds.Config{
		Issuer:   "http://localhost:9191/realms/sivalabs",
		ClientID: "archival-service",
	})
	fmt.Println(err)
	// Output:
	// clientcreds: ClientSecret is empty and Auth is nil: set one of them (if the secret comes from an environment variable, that variable is not set)
}

func ExampleSource_Client() {
	issuer, api := newIssuer(), newAPI()
	defer issuer.Close()
	defer api.Close()

	source, err := clientcreds.New(clientcreds.Config{
		TokenURL:     issuer.URL, // or Issuer, to discover it
		ClientID:     "archival-service",
		ClientSecret: "secret",
		Scopes:       []string{"messages"},
		Origins:      []string{api.URL},
		Logger:       quiet(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := source.Client(&http.Client{Timeout: 10 * time.Second})

	resp, err := client.Get(api.URL + "/api/messages")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)

	_, err = client.Get("https://elsewhere.example/")
	fmt.Println(errors.Is(err, clientcreds.ErrOrigin))
	// Output:
	// 200 OK
	// true
}

func ExampleSource_TokenContext() {
	issuer := newIssuer()
	defer issuer.Close()
	source, err := clientcreds.New(clientcreds.Config{TokenURL: issuer.URL, ClientID: "archival-service", ClientSecret: "wrong", Logger: quiet()})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err = source.TokenContext(ctx)
	var failed *clientcreds.Error
	switch {
	case errors.Is(err, clientcreds.ErrRefused):
		errors.As(err, &failed)
		fmt.Println("somebody must change something:", failed.Status, failed.Code)
	case errors.Is(err, clientcreds.ErrUnavailable):
		fmt.Println("later, perhaps")
	}
	// Output:
	// somebody must change something: 401 invalid_client
}

func ExampleSource_For() {
	issuer, api := newIssuer(), newAPI()
	defer issuer.Close()
	defer api.Close()
	source, err := clientcreds.New(clientcreds.Config{TokenURL: issuer.URL, ClientID: "archival-service", ClientSecret: "secret", Logger: quiet()})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, scope := range []string{"messages", "orders"} {
		token, err := source.For(clientcreds.Target{Scopes: []string{scope}}).Token()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(token.AccessToken)
	}
	// Output:
	// token-for-messages
	// token-for-orders
}

// apiKey is a client authentication method of somebody's own.
type apiKey struct{ key clientcreds.Secret }

func (a apiKey) AuthenticateClient(ctx context.Context, _ string, req *http.Request, _ url.Values) error {
	key, err := a.key(ctx)
	if err != nil {
		return err
	}
	req.Header.Set("X-Api-Key", string(key))
	return nil
}

func ExampleClientAuth() {
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":300}`, r.FormValue("client_id")+"-with-"+r.Header.Get("X-Api-Key"))
	}))
	defer issuer.Close()
	source, err := clientcreds.New(clientcreds.Config{
		TokenURL: issuer.URL,
		ClientID: "archival-service",
		Auth:     apiKey{key: func(context.Context) ([]byte, error) { return []byte("key-1"), nil }},
		Logger:   quiet(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var tokens oauth2.TokenSource = source // wherever one is wanted
	token, err := tokens.Token()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token.AccessToken)
	// Output:
	// archival-service-with-key-1
}
