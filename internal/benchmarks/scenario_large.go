package benchmarks

import "context"

const (
	caseLarge         = "verify a new token of 6 kB, RS256"
	caseLargeRepeated = "verify the same token of 6 kB again, RS256"
)

var verifyLarge = Scenario{
	Name:  "large",
	Title: "Verify a token of 6 kB",
	Note:  "People in many groups have such tokens: 70 roles of one client. The signature check is that of the same token.",
	Run: func(ctx context.Context, l *Lab) ([]Result, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		tokens, err := l.issuer.mintMany(RS256, l.Pool/2, func(n int) Claims { return newClaims(l.issuer.Realm(realm), n).large() })
		if err != nil {
			return nil, err
		}
		floor, err := l.floor(RS256, tokens)
		if err != nil {
			return nil, err
		}
		verifiers, err := peers(ctx, l.want(RS256))
		if err != nil {
			return nil, err
		}
		contenders := []*contender{floor}
		for _, v := range verifiers {
			contenders = append(contenders, verifying(ctx, v, tokens, true))
		}
		all, err := l.measure(ctx, caseLarge, TimesSignature, contenders)
		if err != nil {
			return nil, err
		}
		again, err := l.measure(ctx, caseLargeRepeated, TimesSignature, []*contender{floor, verifying(ctx, verifiers[0], tokens[:1], false)})
		if err != nil {
			return nil, err
		}
		return append(all, again[1:]...), nil
	},
}
