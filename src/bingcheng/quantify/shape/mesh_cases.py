"""The triangles that marching cubes draws in a cell of eight voxel centres, for each of the 256 ways to be inside.

Bit ``4 z + 2 y + x`` of a case says whether the corner (z, y, x) of the cell is inside. A case lists its triangles by
three letters each: `a` ... `d` are the middles of the edges along x, at (z, y) = (0, 0), (0, 1), (1, 0), (1, 1);
`e` ... `h` of those along y, at (z, x) likewise; `i` ... `l` of those along z, at (y, x); `m` is the cell's centre.
Their normals point out of the region. Where two opposite corners of a face are inside, the surface joins them, in
both cells that share the face, so that it is closed; a cell and its mirror images have the same area and volume.

Tabulated from what the algorithm of Lewiner et al. (Journal of Graphics Tools 2003;8(2):1-15), which the IBSI
reference manual recommends, gives for binary cells at level one half (scikit-image 0.26, `marching_cubes`).
"""

from __future__ import annotations

CASES = """
- eai jaf efifji bek bakaik ekaakjfkbfjk bfkkfjkji lfb bleelialfail ljbjab ebiiblilj felekl fallailik aejjekjkl
ljikli icg acecge cgjjgfagiafg jcffcgfge kbggbcibeicb gkcckbcba kigcgiijciajfjaaefbfeekbeik kcgkjcbjkfjb lfbgic
acflfccglblggeb abigibblgcglljc jblgbjebgcgj feiicflfccglklg lfkkfccfacgk iaegkcjckklj kcgjckljk cjh ieccehjeajhe
cahafh cihhiehef cjhkbe bajjhbkbhhckikc fhbkbhhckekccae hbfibhkbihci hcllcbfcjfbc ijchcjjlhjflblffabebaaieaji
lhbbhcbca hblhebcehiec fejcjeekchckklh jfacihlhiikl ahckhalhkeka ihclhikli ijgjhg ajeejhehg iaggafgfh efhgeh
hgkkbhjhbbejije gjhbjgajbkbg eiabfkgkffhg fkbgkfhgf hglblggibfbiijf jfaebllhegeh biahibgihblh hblebhgeh
hglklgijffei hgmmgjajggkafakkmfmklhmlmjf hgmhmiiahlhaaelmlelmkmgkime hklhgk kgd gdiidaedkead jafdkg
efkdkffjdgdjjig egbgdb igaagdadb egajaggdjfjddbf bfddfiifjdig kgbbgflgdlfg lkdgdkkigkeiaieebafabblfbkl
abkkgajaggdjljd kebdlgigllji dlgglfgfe dlglfggfiifa gaelagjalgdl lgdigljil cdidki keddeadac cdjfjddkfafkkia
djcejdfjedke eibbicbcd bacbcd iaebfjjcbdbc cfjbfcdbc cdllfcicffbikib bkefaldlaacd kiaabkcdjljd
cdmcmkkecjceebjmjbjmlmdlkmb eiffiddicfdl alfdlacda cdmmdieiddleaellmamljcmjmia cljcdl dkhhkjckgcjk
ikeeaijiacijjhcgchhdgkgdigk fhddkfafkkgacag igchdkkehfhe egccjebejjhbdbh cighdjajddba fhbdbhcaeegc
dbmmbgigbbficiffmcmfhdmhmgc ljffblklbdlkkgdhdggchjhclhj igcbkejfalhd dlhgckbkccab bkecigdlh lhdgcjjfgegf ajfdlhcig
cammahlhaaeldleemdmegcmgmhd hdlcig hdjjdkjki kedeaddahhaj iakkahhafkhd edkhdefhe jhiihbbhdbei djhajdbad
dbmdmeeidhdiiahmhahmfmbfema dfhdbf dlhjfbbkjijk lhdkebjfa abmamllhaiahhdimidimkmbklmd bkelhd
femmeldleeidhdiimhmijfmjmlh jfahdl aeihdl dlh hld eaidhl ldffdadjahjd eflldeieddhijih dhkkhebhlbeh balhlaaihdhiikd
jlhdhllkdlbkekbbfeaeffjaflj lbfhjdkdjjik hfdfbd bdeieddhiaihhfa hjddjadab ihjbhidhbieb kdeedhehf kaihakfahdhk
dekdaehadjah jdhkdjikj giddilhichli achhlaealldeged jiaafjljfhjlldhchddgcicgjci hjcdglflggef
klbbekikegkiicgdgcchdldhkdl kdgchllbcacb kdgflbiaejch flbgkdhjc bdggibfbiicfhfc gebbdgacfhfc jchdgiiadbda
gemmecjceebjhjbbmhmbdgmdmch gkdchieihhfe hfmmfdkdffakgkaamgmachmcmdg eiahjcgkd chjgkd jlcldc dciiedldeealjla
flaaldadc fiedifcidldf dckekccjebejjlb jlabaldciikd lbfaekkdacad dcmmclflccifbfiimbmikdmkmlb jfccfbcbd
ajfebicibbdc cabdcb biecibdcb cjddjeejfekd dcmdmjjfdkdffakmkakmimcijma dekaedcad idcikd dgllgilij eaggallajldg
gldgflifgafi gldflgefg gkdlbeeiljli bammakgkaajgdgjjmdmjlbmlmkd kdgiaelbf lbfdgk dfbifdjfigid
gemgmaajgdgjjfdmdfdmbmebamf agidgabda bgebdg femfmkkdfjfddgjmjgjmimeikmg ajfkdg eiakdg dgk lkhkgh ghiaihhlaeallke
ghjjagkgaafklkf ghjjiglkfefk lbhhbeheg aibbihhighlb flbaejhjeegh ghmgmllbgigbbfimifimjmhjlmf bkffkgfgh
kebfaiigfhfg hjggjbbjagbk ghmmhkbkhhjbebjjmemjigmimke hfeheg gaifaghfg ejahjeghe gjighj chiihlilk chaahkkhlake
hjciafflikil efmemjjcekecchkmkhkmlmfljmh lbhbehheccei bhlchbacb jchlbfiae flbjch fbhhbiibkich
hfmhmbbkhchkkecmcecmamfabme abmmbjhjbbkhchkkmcmkiamimjc jchbke hiceihfeh hachfa jchaei hjc gckkcjkjl cigkeaajklkj
kflcfkafckgc efmmficifflcgcllmgmlkemkmig lbjjbggbejgc bambmiigblbggclmlclmjmajimc camcmfflcgcllbgmgbgmemaefmb
flbigc gckcjkkjbbjf igcjfakeb ckgbkcabc igcebk fcjgcfegf ajfigc ecaegc gci ijlilk jeakejlkj lafialkil leflke
ibelbijli bjlbaj aeiflb bfl kfbjfkijk fajbke kabkia keb ifeijf faj iae -
""".split()  # noqa: SIM905 - a list literal would take 260 lines
