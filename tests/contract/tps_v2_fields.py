"""Which fields of TPS v2 can carry a person, which are selected, and which are of no use.

Every field of every type of the published schema is one of the three; a type that the schema
gains has to be looked at before the contract test passes again.
"""

from collections.abc import Mapping
from enum import StrEnum
from fnmatch import fnmatch

ALL = frozenset({"*"})

Fields = Mapping[str, frozenset[str]]


class Class(StrEnum):
    """What a field is."""

    SELECTED = "selected"
    """The service may ask for it: it says nothing of a person, or routing decides by it."""
    PERSON = "person"
    """It can carry a person: who files, who is filed for, who instructs, what they wrote."""
    UNUSED = "unused"
    """It carries nobody, and is not needed."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _of(**types: str) -> Fields:
    return {name: _words(fields) for name, fields in types.items()}


_COMMON = _words("champDescriptorId id label prefilled updatedAt")
"""What every answer has that says nothing of what was answered."""


SELECTED: Fields = _of(
    Query="demarche dossier",
    Mutation="dossierChangerGroupeInstructeur",
    Demarche="""id number activeRevision dossiers deletedDossiers pendingDeletedDossiers
        groupeInstructeurs""",
    DemarcheDescriptor="number revision",
    Revision="id champDescriptors",
    ChampDescriptor="id label",
    PageInfo="endCursor hasNextPage",
    DossierConnection="nodes pageInfo",
    DeletedDossierConnection="nodes pageInfo",
    DeletedDossier="number",
    Dossier="""id number state archived dateDepot dateDerniereModification demarche revision
        groupeInstructeur champs demandeur deposeParUnTiers""",
    GroupeInstructeur="id number label closed",
    DossierChangerGroupeInstructeurPayload="errors",
    PersonneMorale="address",
    Address="cityCode cityName postalCode departmentCode",
    Champ="stringValue",
    TextChamp="stringValue",
    DropDownListChamp="stringValue value",
    MultipleDropDownListChamp="values",
    LinkedDropDownListChamp="primaryValue secondaryValue",
    DepartementChamp="stringValue departement",
    RegionChamp="stringValue region",
    PaysChamp="stringValue pays",
    CommuneChamp="stringValue commune departement",
    AddressChamp="address",
    Departement="code name",
    Region="code name",
    Pays="code name",
    Commune="code name postalCode",
)

PERSON: Fields = {
    **_of(
        Query="groupeInstructeur",
        Mutation="*",
        Demarche="administrateurs service",
        DemarcheDescriptor="service",
        Dossier="""annotations attestation avis connectionUsager geojson instructeurs labels
            messages motivation motivationAttachment nomMandataire pdf prenomMandataire prefilled
            traitements usager""",
        DossierEdge="*",
        DossierConnection="edges",
        DeletedDossierConnection="edges",
        DeletedDossierEdge="*",
        DeletedDossier="reason",
        GroupeInstructeur="instructeurs",
        GroupeInstructeurWithDossiers="*",
        PersonneMorale="*",
        PersonneMoraleIncomplete="*",
        PersonnePhysique="*",
        Demandeur="id",
        Profile="*",
        Service="*",
        Entreprise="*",
        Association="*",
        Effectif="*",
        EngagementJuridique="*",
        RNA="*",
        RNF="*",
        Address="""geometry label streetAddress streetName streetNumber type""",
        Avis="*",
        Correction="*",
        Message="*",
        Traitement="*",
        Row="*",
        File="*",
        DirectUpload="*",
        GeoJSON="*",
        GeoArea="*",
        ParcelleCadastrale="*",
        SelectionUtilisateur="*",
        Label="*",
        ValidationError="*",
        WarningMessage="*",
        Column="*",
        TextChamp="value",
        AddressChamp="stringValue commune departement",
        MultipleDropDownListChamp="stringValue",
        LinkedDropDownListChamp="stringValue",
    ),
    "*Column": ALL,
    "*Payload": ALL,
    **{
        f"{kind}Champ": ALL
        for kind in _words(
            """Carte Checkbox Civilite Date Datetime DecimalNumber DossierLink EngagementJuridique
            Epci Explication HeaderSection IntegerNumber PieceJustificative RNA RNF Repetition
            Siret TitreIdentite YesNo"""
        )
    },
    "*Champ": frozenset({"columns"}),
    "Champ": frozenset({"columns"}),
}

UNUSED: Fields = {
    **_of(
        Query="demarcheDescriptor",
        Demarche="""annotationDescriptors champDescriptors chorusConfiguration dateCreation
            dateDepublication dateDerniereModification dateFermeture datePublication declarative
            description draftRevision labels publishedRevision revisions state title""",
        DemarcheDescriptor="*",
        Revision="*",
        PageInfo="*",
        ChampDescriptor="*",
        ChorusConfiguration="*",
        Epci="*",
        DeletedDossier="*",
        Address="countryCode countryName departmentName regionCode regionName",
        Dossier="""dateDerniereCorrectionEnAttente dateDerniereModificationAnnotations
            dateDerniereModificationChamps dateExpiration datePassageEnConstruction
            datePassageEnInstruction datePrevisionnelleDecisionSVASVR
            dateSuppressionParAdministration dateSuppressionParUsager dateTraitement
            dateTraitementSVASVR""",
    ),
    "*ChampDescriptor": ALL,
    "*Champ": _COMMON,
    "Champ": _COMMON,
}

ARGUMENTS = _words(
    """Query.demarche(number) Query.dossier(number) Demarche.dossiers(first)
    Demarche.dossiers(after) Demarche.dossiers(updatedSince) Demarche.deletedDossiers(first)
    Demarche.deletedDossiers(after) Demarche.deletedDossiers(deletedSince)
    Demarche.pendingDeletedDossiers(first) Demarche.pendingDeletedDossiers(after)
    Demarche.pendingDeletedDossiers(deletedSince) Demarche.groupeInstructeurs(closed)
    Dossier.champs(id) Mutation.dossierChangerGroupeInstructeur(input)"""
)
"""All that is ever given to TPS: numbers, cursors, instants and ids."""


def class_of(kind: str, field: str) -> Class | None:
    """What a field is, None when nobody has looked at it. What stands first counts."""
    for found, known in (
        (Class.SELECTED, SELECTED),
        (Class.PERSON, PERSON),
        (Class.UNUSED, UNUSED),
    ):
        for pattern, fields in known.items():
            if fnmatch(kind, pattern) and (field in fields or fields == ALL):
                return found
    return None
