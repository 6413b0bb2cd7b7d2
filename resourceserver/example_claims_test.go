package resourceserver_test

import (
	"fmt"

	"github.com/svcauth/svcauth/resourceserver"
)

// Names are exact, each argument is one whole name, and what isn't there is empty.
func ExampleClaims() {
	claims := resourceserver.NewClaims(map[string]any{
		"tenant":                    "acme",
		"https://example.com/plan.": map[string]any{"name": "gold"},
	})
	fmt.Println(claims.String("tenant"), claims.String("https://example.com/plan.", "name"))
	fmt.Printf("%q %t\n", claims.String("Tenant"), claims.Has("Tenant"))
	// Output:
	// acme gold
	// "" false
}

// Claims of one's own in a struct, as encoding/json would put them there, but for exact names.
func ExampleClaims_Decode() {
	claims := resourceserver.NewClaims(map[string]any{
		"address": map[string]any{"locality": "Hyderabad", "postal_code": "500001"},
	})
	var address struct {
		Locality string `json:"locality"`
		Code     string `json:"postal_code"`
	}
	err := claims.Decode(&address, "address")
	fmt.Println(address.Locality, address.Code, err)
	// Output: Hyderabad 500001 <nil>
}

// A claim that some issuers send as a list and others as one string.
func ExampleClaims_Strings() {
	list := resourceserver.NewClaims(map[string]any{"groups": []any{"/staff", "/editors", 7}})
	one := resourceserver.NewClaims(map[string]any{"groups": "/staff"})
	fmt.Println(list.Strings("groups"), one.Strings("groups"), len(one.Strings("roles")))
	// Output: [/staff /editors] [/staff] 0
}

// The test of a role mapper of one's own.
func ExampleNewClaims() {
	departments := func(claims resourceserver.Claims) []string {
		if claims.String("department") == "operations" {
			return []string{"OPERATOR"}
		}
		return nil
	}
	fmt.Println(departments(resourceserver.NewClaims(map[string]any{"department": "operations"})))
	fmt.Println(departments(resourceserver.NewClaims(map[string]any{"department": 7})))
	// Output:
	// [OPERATOR]
	// []
}

// Claims that a gateway has verified and hands over in a header. ParseClaims verifies nothing: the text must come from the gateway and nobody else.
func ExampleParseClaims() {
	claims, err := resourceserver.ParseClaims([]byte(`{"sub":"siva","realm_access":{"roles":["ADMIN"]}}`))
	fmt.Println(claims.String("sub"), claims.Strings("realm_access", "roles"), err)

	_, err = resourceserver.ParseClaims([]byte(`{"sub":"siva","sub":"admin"}`))
	fmt.Println(err)
	// Output:
	// siva [ADMIN] <nil>
	// resourceserver: claims: a member name stands twice in one object
}

// Roles of two places count alike.
func ExampleMergeRoles() {
	roles := resourceserver.MergeRoles(
		resourceserver.RolesFromClaim("realm_access", "roles"),
		resourceserver.RolesFromClaim("groups"),
	)
	fmt.Println(roles(resourceserver.NewClaims(map[string]any{
		"realm_access": map[string]any{"roles": []string{"USER"}},
		"groups":       []string{"editors"},
	})))
	// Output: [USER editors]
}
