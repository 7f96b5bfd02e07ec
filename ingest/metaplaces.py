"""The two-letter codes by which Meta's libraries know states (of the United States and Canada) and countries."""

from __future__ import annotations


def _codes(text: str) -> dict[str, str]:
    """Codes by name: each line holds ``code name``, each name as bare letters."""
    return {name: code for code, name in (entry.split() for entry in text.replace(",", "\n").splitlines() if entry)}


STATES: dict[str, str] = _codes("""\
al alabama,ak alaska,az arizona,ar arkansas,ca california,co colorado,ct connecticut,de delaware
dc districtofcolumbia,fl florida,ga georgia,hi hawaii,id idaho,il illinois,in indiana,ia iowa,ks kansas
ky kentucky,la louisiana,me maine,md maryland,ma massachusetts,mi michigan,mn minnesota,ms mississippi
mo missouri,mt montana,ne nebraska,nv nevada,nh newhampshire,nj newjersey,nm newmexico,ny newyork
nc northcarolina,nd northdakota,oh ohio,ok oklahoma,or oregon,pa pennsylvania,ri rhodeisland,sc southcarolina
sd southdakota,tn tennessee,tx texas,ut utah,vt vermont,va virginia,wa washington,wv westvirginia,wi wisconsin
wy wyoming
ab alberta,bc britishcolumbia,mb manitoba,nb newbrunswick,nl newfoundlandandlabrador,nt northwestterritories
ns novascotia,nu nunavut,on ontario,pe princeedwardisland,qc quebec,sk saskatchewan,yt yukon
""")

COUNTRIES: dict[str, str] = _codes("""\
af afghanistan,ax alandislands,al albania,dz algeria,as americansamoa,ad andorra,ao angola,ai anguilla
aq antarctica,ag antiguaandbarbuda,ar argentina,am armenia,aw aruba,au australia,at austria,az azerbaijan
bs bahamas,bh bahrain,bd bangladesh,bb barbados,by belarus,be belgium,bz belize,bj benin,bm bermuda,bt bhutan
bo bolivia,bq bonairesinteustatiusandsaba,ba bosniaandherzegovina,bw botswana,bv bouvetisland,br brazil
io britishindianoceanterritory,bn brunei,bg bulgaria,bf burkinafaso,bi burundi,kh cambodia,cm cameroon,ca canada
cv capeverde,cv caboverde,ky caymanislands,cf centralafricanrepublic,td chad,cl chile,cn china
cx christmasisland,cc cocosislands,cc cocoskeelingislands,co colombia,km comoros,cg congo
cd congothedemocraticrepublicofthe,cd congodemocraticrepublicofthe,cd democraticrepublicofthecongo
ck cookislands,cr costarica,ci cotedivoire,ci ivorycoast,hr croatia,cu cuba,cw curacao,cy cyprus,cz czechrepublic
cz czechia,dk denmark,dj djibouti,dm dominica,do dominicanrepublic,ec ecuador,eg egypt,sv elsalvador
gq equatorialguinea,er eritrea,ee estonia,sz eswatini,sz swaziland,et ethiopia,fk falklandislands,fo faroeislands
fj fiji,fi finland,fr france,gf frenchguiana,pf frenchpolynesia,tf frenchsouthernterritories,ga gabon,gm gambia
ge georgia,de germany,gh ghana,gi gibraltar,gr greece,gl greenland,gd grenada,gp guadeloupe,gu guam,gt guatemala
gg guernsey,gn guinea,gw guineabissau,gy guyana,ht haiti,hm heardislandandmcdonaldislands,va holysee,va vatican
hn honduras,hk hongkong,hu hungary,is iceland,in india,id indonesia,ir iran,iq iraq,ie ireland,im isleofman
il israel,it italy,jm jamaica,jp japan,je jersey,jo jordan,kz kazakhstan,ke kenya,ki kiribati
kp koreademocraticpeoplesrepublicof,kp northkorea,kr korearepublicof,kr southkorea,kw kuwait,kg kyrgyzstan
la laos,la laopeoplesdemocraticrepublic,lv latvia,lb lebanon,ls lesotho,lr liberia,ly libya,li liechtenstein
lt lithuania,lu luxembourg,mo macao,mo macau,mk macedonia,mg madagascar,mw malawi,my malaysia,mv maldives,ml mali
mt malta,mh marshallislands,mq martinique,mr mauritania,mu mauritius,yt mayotte,mx mexico,fm micronesia
md moldova,mc monaco,mn mongolia,me montenegro,ms montserrat,ma morocco,mz mozambique,mm myanmar,mm burma
na namibia,nr nauru,np nepal,nl netherlands,nc newcaledonia,nz newzealand,ni nicaragua,ne niger,ng nigeria,nu niue
nf norfolkisland,mp northernmarianaislands,no norway,om oman,pk pakistan,pw palau,ps palestine,ps palestinian
pa panama,pg papuanewguinea,py paraguay,pe peru,ph philippines,pn pitcairn,pl poland,pt portugal,pr puertorico
qa qatar,re reunion,ro romania,ru russia,rw rwanda,bl saintbarthelemy,sh sainthelena,kn saintkittsandnevis
lc saintlucia,mf saintmartin,pm saintpierreandmiquelon,vc saintvincentandthegrenadines,ws samoa,sm sanmarino
st saotomeandprincipe,sa saudiarabia,sn senegal,rs serbia,sc seychelles,sl sierraleone,sg singapore
sx sintmaarten,sk slovakia,si slovenia,sb solomonislands,so somalia,za southafrica
gs southgeorgiaandthesouthsandwichislands,ss southsudan,es spain,lk srilanka,sd sudan,sr suriname
sj svalbardandjanmayen,se sweden,ch switzerland,sy syria,tw taiwan,tj tajikistan,tz tanzania,th thailand
tl timorleste,tl easttimor,tg togo,tk tokelau,to tonga,tt trinidadandtobago,tn tunisia,tr turkey,tr turkiye
tm turkmenistan,tc turksandcaicosislands,tv tuvalu,ug uganda,ua ukraine,ae unitedarabemirates,gb unitedkingdom
us unitedstates,um unitedstatesminoroutlyingislands,uy uruguay,uz uzbekistan,vu vanuatu,ve venezuela,vn vietnam
vg virginislandsbritish,vg britishvirginislands,vi virginislandsus,vi usvirginislands,wf wallisandfutuna
eh westernsahara,ye yemen,zm zambia,zw zimbabwe
""")
