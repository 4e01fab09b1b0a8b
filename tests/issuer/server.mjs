// A real issuer: `oidc-provider` over TLS on a free port of this machine, with the clients and resources that its settings name.
//
//   node server.mjs MODULES SETTINGS
//
// MODULES is the folder with `node_modules`, SETTINGS a JSON file: `certificate` and `key` (PEM files), `clients` (metadata by
// OpenID's names), `resources` (by indicator, RFC 8707: the scopes of each), and maybe `hook`: a JSON file with the `url` and the
// `key` of a token hook, which is asked before each token. Its first line of output says where it is; each further one is a
// request that it has answered, with the id under which the gateway forwarded it.

import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, settingsFile] = process.argv.slice(2);
const require = createRequire(resolve(modules, 'package.json'));
const { Provider, errors } = await import(pathToFileURL(require.resolve('oidc-provider')));
const settings = JSON.parse(readFileSync(settingsFile, 'utf8'));

const server = createServer({ cert: readFileSync(settings.certificate), key: readFileSync(settings.key) });
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `https://localhost:${server.address().port}`;

// Resources by their indicators; whoever names another one gets none.
function resourceServer(_ctx, indicator) {
    const scope = settings.resources[indicator];
    if (scope === undefined) throw new errors.InvalidTarget();
    return {
        scope,
        audience: indicator,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 3600,
        jwt: { sign: { alg: 'ES256' } },
    };
}

// Gives the token if the hook says so, with the id of the decision in it, and the hook's error otherwise.
async function ask(ctx, token) {
    if (settings.hook === undefined) return undefined;
    const { url, key } = JSON.parse(readFileSync(settings.hook, 'utf8'));
    const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': key },
        body: JSON.stringify({
            grant_type: ctx.oidc.params.grant_type,
            client_id: token.clientId,
            subject: token.accountId,
            scope: token.scope,
            resource: token.resourceServer?.audience,
            ip_address: ctx.ip,
        }),
    });
    const said = await answer.json();
    if (answer.status === 200 && said.decision === 'allow') return { decision: said.decisionId };
    throw new errors.CustomOIDCProviderError(said.error, said.error_description);
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const provider = new Provider(issuer, {
    clients: settings.clients,
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'signing', use: 'sig', alg: 'ES256' }] },
    clientDefaults: {
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: 'ES256',
    },
    enabledJWA: { clientAuthSigningAlgValues: ['ES256'], idTokenSigningAlgValues: ['ES256'] },
    extraTokenClaims: ask,
    scopes: [...new Set(Object.values(settings.resources).flatMap((scope) => scope.split(' ')))],
    features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: false },
        resourceIndicators: { enabled: true, getResourceServerInfo: resourceServer },
    },
});

const answer = provider.callback();
server.on('request', (request, response) => {
    response.on('finish', () => {
        const { method, url, headers } = request;
        const decision = headers['boomgate-decision-id'] ?? null;
        console.log(JSON.stringify({ method, url, decision, status: response.statusCode }));
    });
    answer(request, response);
});
console.log(JSON.stringify({ issuer }));
