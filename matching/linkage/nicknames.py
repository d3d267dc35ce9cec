"""Short forms of given names: French first, then English. A short form is weak evidence.

Our own list of common forms; a form may stand for several names, also of both sexes.
"""

from functools import cache

_FORMS = """
alex: alexandre alexandra alexis alexia
alain: al
agathe: aga
adele: ade
antoine: toine tonio tony anto
anthony: tony antho ant
amandine: mandy
andre: dede
annabelle: bella
anne: annie anna nanou
arnaud: nono
aurelie: lilie aurel
aurelien: aurel
barbara: babs barb
bernadette: bernie dette
bernard: nanard bernie
benjamin: ben benji benj
benoit: ben
bertrand: bert
brigitte: bri gitte
camille: cam
caroline: caro carole line
catherine: cathy cath kate katia cat
cedric: ced
celine: cel
charlotte: charlie lotte cha
charles: charlie chuck charly
christelle: chris christel
christian: chris
christiane: chris
christine: chris cri cricri tina
christophe: chris tophe
clementine: clem
clement: clem
corinne: coco
cyril: cy
daniel: dan dany danny
danielle: dany
david: dave dav
delphine: del
denis: deni
didier: did
dominique: dom domi
dorothee: doro
edouard: ed eddy doudou
elisabeth: babeth elise lise betty beth lisa eli
elizabeth: liz lizzie beth betty eliza lizzy libby
emilie: emi milie
emmanuel: manu
emmanuelle: manu manue
eric: rico
esther: estelle
eugenie: nini
fabien: fab
fabienne: fab
fabrice: fab
florence: flo
florent: flo
florian: flo
francis: franck
francois: fanfan france
francoise: fanfan fran soize
frederic: fred fredo
frederique: fred
gabriel: gab gaby
gabrielle: gab gaby
genevieve: gene viviane
georges: jo geo
gerard: gege
gilbert: gil
gilles: gil
gregory: greg
guillaume: guigui guy will
helene: leni
henri: riri
herve: rv
ingrid: ing
isabelle: isa bella zaza
jacqueline: jackie line jacquie
jacques: jacky jack jacquot
james: jim jimmy jamie
jean: jeannot
jeanne: jeannette jane
jennifer: jenny jen jenn
jeremy: jerem jerry
jerome: jer
jessica: jess
joel: jo
jonathan: jon jona nathan jonny
joseph: jo jojo joe
josephine: jo fifine
josette: jo
josiane: jo
julie: ju juju
julien: ju juju jules
juliette: ju juju
karine: kari
kevin: kev
laetitia: laeti
laura: lolo
laure: lolo
laurence: lolo laure
laurent: lolo lau
lionel: lio
louis: loulou
louise: lou loulou
luc: lucas
lucie: lulu luce
lucien: lulu
ludovic: ludo
madeleine: mado madeline
magali: mag
marc: marco
marguerite: margot maggie
marie: mimi manon
marion: mario
martine: titine
mathieu: mat matt math matthieu
mathilde: mathou tilde
matthew: matt
maurice: momo
maxime: max
maximilien: max
melanie: mel
michael: mike mick mickael mickey mikey
michel: mich mimi
michele: mich mimi
micheline: mimi
mireille: mimi
mohamed: momo mohammed med
monique: momo nike
muriel: mu
myriam: mimi
nadine: nad
natacha: nat
nathalie: nath nat nathy
nicolas: nico
nicole: nico nikky
noemie: no
odile: odi
olivier: oliv olive
pascal: pasc
pascale: pasc
patrice: pat
patricia: pat patty tricia
patrick: pat pad paddy
paulette: paula
philippe: phil fifi philou
pierre: pierrot peter
rachel: rach
raphael: raph rafa
raymond: ray momo
rebecca: becky becca
remi: rem
renaud: reno
rene: nene
richard: rich rick dick richie
robert: rob bob bobby robbie bert
roland: rolly
roger: rog
romain: rom
samuel: sam sammy
samantha: sam sammy
sandra: sand sandy alexandra
sandrine: sand
sebastien: seb bastien
serge: sergio
severine: sev
simone: simo
solange: sol
sophie: so soso
stephane: steph stef
stephanie: steph stef fanny
sylvain: syl
sylvie: syl
sylviane: syl
therese: tess
theophile: theo
theodore: theo ted
thierry: titi thie
thibault: thib
thomas: tom tommy
valentin: val
valerie: val
vanessa: van
veronique: vero
victor: vic
victoria: vic vicky tori
vincent: vince
virginie: vi ginie
vivien: viv
wilfried: will
xavier: xav
yannick: yan yann
yves: yvon
yvette: vivette
zoe: zo
william: will bill billy liam
edward: ed eddie ted ned
andrew: andy drew
nicholas: nick nicky
christopher: chris kit topher
joshua: josh
jacob: jake
joel: joe
katherine: kate kathy katie kat
margaret: maggie meg peggy
abigail: abby abi
olivia: liv livvy
isabella: bella izzy
jasmine: jaz jas
oliver: ollie oli
harry: harold
henry: harry hal
archie: archibald
freddie: frederick fred
frederick: fred freddie
alexander: alex xander al sandy
benedict: ben
daisy: margaret
ellie: eleanor ellen elena
eleanor: ellie nell nora
evelyn: evie eve
eva: evie
imogen: immy
leonard: leo len
theodora: theo
timothy: tim timmy
zachary: zach zac zack
dylan: dyl
ethan: eth
amelia: amy millie mia
emily: em emmy millie
emma: em
jackson: jack jax
john: jack johnny jon
lauren: lau
lucy: lu
madison: maddie
mohammed: mo mohamed
muhammad: mo mohammed
natalie: nat
rosemary: rosie rose
phoebe: phoeb
poppy: pop
reuben: ben rube
riley: ri
sienna: si
toby: tobias
tyler: ty
"""


@cache
def short_forms() -> dict[str, frozenset[str]]:
    """Return each given name with the short forms that stand for it, folded."""
    forms: dict[str, frozenset[str]] = {}
    for line in _FORMS.strip().splitlines():
        full, _, shorts = line.partition(":")
        forms[full] = forms.get(full, frozenset()) | frozenset(shorts.split())
    return forms
