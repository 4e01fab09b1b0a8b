// Stock nginx verifies no tokens (auth_jwt is NGINX Plus): this is its nearest equal, njs over WebCrypto.
import fs from 'fs';
const b = s => Buffer.from(s, 'base64url');
const der = f => Buffer.from(fs.readFileSync(f).toString().replace(/-----[^-]+-----|\n/g, ''), 'base64');
const K = { rs1: ['RS256', { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, '@WORLD@/rs.pub'],
            es1: ['ES256', { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }, '@WORLD@/es.pub'] };
const BLOCKED = fs.readFileSync('@WORLD@/blocked.txt').toString().split('\n').filter(s => s);
async function auth(r) {
  try {
    const h = r.headersIn.Authorization; if (!h || h.slice(0, 7) !== 'Bearer ') { r.return(401); return; }
    const p = h.slice(7).split('.'); if (p.length !== 3) { r.return(401); return; }
    const hd = JSON.parse(b(p[0])), k = K[hd.kid]; if (!k || k[0] !== hd.alg) { r.return(401); return; }
    const key = await crypto.subtle.importKey('spki', der(k[2]), k[1], false, ['verify']);
    if (!await crypto.subtle.verify(k[1], key, b(p[2]), p[0] + '.' + p[1])) { r.return(401); return; }
    const c = JSON.parse(b(p[1])), now = Date.now() / 1000;
    if (!(c.exp > now) || c.nbf > now || c.iss !== 'https://idp.test/' || c.aud !== 'api://resource') { r.return(401); return; }
    r.return(BLOCKED.includes(c.azp) ? 403 : 200);
  } catch (e) { r.error('jwt ' + e); r.return(401); }
}
export default { auth };
