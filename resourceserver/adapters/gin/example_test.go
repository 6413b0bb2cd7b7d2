package ginauth_test

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/svcauth/svcauth/keycloak/keycloaktest"
	"github.com/svcauth/svcauth/resourceserver"
	ginauth "github.com/svcauth/svcauth/resourceserver/adapters/gin"
)

func Example() {
	realm := keycloaktest.NewServer(keycloaktest.Config{}) // stands for a Keycloak
	defer realm.Close()

	config := realm.Realm().ServerConfig("service")
	config.Logger = slog.New(slog.DiscardHandler)
	auth, err := resourceserver.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	owner := resourceserver.RuleFunc("owner", func(r *http.Request, p *resourceserver.Principal) bool {
		return p.Username != "" && r.PathValue("user") == p.Username
	})
	engine := gin.New()
	engine.POST("/api/messages/archive", ginauth.Require(auth, resourceserver.Role("ADMIN")), func(c *gin.Context) {
		caller, _ := resourceserver.PrincipalFrom(c.Request.Context())
		c.String(http.StatusOK, "archived for %s", caller.Username)
	})
	engine.GET("/api/users/:user", ginauth.Require(auth, resourceserver.Any(owner, resourceserver.Role("ADMIN"))), func(c *gin.Context) {
		c.String(http.StatusOK, "about %s", c.Param("user"))
	})

	alice, bob := realm.Token(keycloaktest.Token{User: "alice"}), realm.Token(keycloaktest.Token{User: "bob"})
	for _, call := range []struct{ method, path, token string }{
		{"POST", "/api/messages/archive", alice},
		{"POST", "/api/messages/archive", bob},
		{"POST", "/api/messages/archive", ""},
		{"GET", "/api/users/bob", bob},
		{"GET", "/api/users/alice", bob},
	} {
		answer := ask(engine, call.method, call.path, call.token)
		if answer.Code == http.StatusOK {
			fmt.Println(answer.Code, answer.Body)
		} else {
			fmt.Println(answer.Code)
		}
	}
	// Output:
	// 200 archived for alice
	// 403
	// 401
	// 200 about bob
	// 403
}
